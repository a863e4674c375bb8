// SPDX-License-Identifier: Apache-2.0
#include "fuzz/ServerVariant.h"

#include <memory>

namespace dtlsd::fuzz {

namespace {

using namespace std::chrono_literals;

PskKey keyOf(char byte)
{
    return PskKey(QByteArray(16, byte));
}

PskIdentity identityWith(char key)
{
    return {.key = keyOf(key), .nextKey = {}, .allowFrom = {}, .reply = {}};
}

std::shared_ptr<const PskStore> identitiesOf(bool areKeysOthers, bool arePeopleOthers)
{
    auto identities = std::make_shared<PskStore>();
    PskIdentity honest = identityWith('h');
    honest.datagramsPerSecond = 0;
    identities->add("honest", honest);
    if (!arePeopleOthers)
        identities->add("one", identityWith(areKeysOthers ? 'y' : '1'));
    PskIdentity rotating = identityWith(areKeysOthers ? 'n' : '2');
    rotating.nextKey = areKeysOthers ? PskKey() : keyOf('n');
    rotating.reply = ReplyTemplate::parse(QStringLiteral("echo")).value();
    identities->add("rotating", rotating);
    PskIdentity elsewhere = identityWith('3');
    if (!arePeopleOthers)
        elsewhere.allowFrom = {QHostAddress::parseSubnet(QStringLiteral("10.0.0.0/8"))};
    identities->add("elsewhere", elsewhere);
    return identities;
}

Limits limitsOf(bool isOnePerIdentity, bool areTight)
{
    Limits limits;
    limits.maxSessions = areTight ? 2 : 3;
    limits.maxHalfOpen = areTight ? 1 : 2;
    limits.maxSessionsPerIdentity = isOnePerIdentity ? 1 : 0;
    limits.idleTimeout = areTight ? 30s : 2min;
    if (areTight) {
        limits.handshakesPerSecond = 2;
        limits.datagramsPerSecond = 2;
        limits.sessionLifetime = 5min;
    }
    return limits;
}

} // namespace

ServerSettings settingsOf(int variant)
{
    ServerSettings settings;
    settings.limits = limitsOf((variant & 1) != 0, (variant & 32) != 0);
    settings.keepCiphertext = (variant & 2) != 0;
    if ((variant & 4) != 0)
        settings.tls.unknownIdentity = TlsOptions::UnknownIdentity::Alert;
    if ((variant & 8) != 0)
        settings.reply.identityHint = "dtlsd";
    if ((variant & 16) != 0)
        settings.tls.mtu = 576;
    settings.identities = identitiesOf((variant & 64) != 0, (variant & 128) != 0);
    return settings;
}

Credential honestCredential()
{
    return {"honest", keyOf('h')};
}

Credential credentialOf(int number)
{
    switch (number) {
    case 0:
        return {"one", keyOf('1')};
    case 1:
        return {"rotating", keyOf('n')};
    case 2:
        return {"one", keyOf('y')}; // wrong, unless keys are others
    case 3:
        return {"nobody", keyOf('x')};
    default:
        return {"elsewhere", keyOf('3')};
    }
}

} // namespace dtlsd::fuzz
