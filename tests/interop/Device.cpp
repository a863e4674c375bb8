// SPDX-License-Identifier: Apache-2.0
#include "interop/Device.h"

#include "interop/CoapDevice.h"
#include "interop/LineDevice.h"
#include "interop/QtDevice.h"

namespace dtlsd::test {

const QByteArray Device::key = "interoperability";

QString description(Outcome outcome)
{
    switch (outcome) {
    case Outcome::Spoke:
        return QStringLiteral("✓");
    case Outcome::LacksSuite:
        return QStringLiteral("not in its build");
    case Outcome::Crashed:
        return QStringLiteral("client crashes after the handshake");
    case Outcome::RefusedKeyShare:
        return QStringLiteral("client refuses X25519, which it offers");
    case Outcome::NothingInCommon:
        return QStringLiteral("not offered by the client");
    case Outcome::Failed:
        break;
    }
    return QStringLiteral("fails");
}

Device::~Device() = default;

Outcome Device::expected(const QString &suite) const
{
    return suite.isEmpty() ? Outcome::Failed : Outcome::Spoke;
}

std::vector<std::unique_ptr<Device>> allDevices()
{
    using Kind = ClientProcess::Kind;
    using Groups = LineDevice::Groups;
    std::vector<std::unique_ptr<Device>> devices;
    devices.push_back(std::make_unique<LineDevice>(Kind::OpenSsl));
    devices.push_back(std::make_unique<LineDevice>(Kind::GnuTls));
    devices.push_back(std::make_unique<LineDevice>(Kind::MbedTls));
    devices.push_back(std::make_unique<LineDevice>(Kind::WolfSsl));
    devices.push_back(std::make_unique<LineDevice>(Kind::WolfSsl, Groups::Own));
    devices.push_back(std::make_unique<QtDevice>());
    devices.push_back(std::make_unique<CoapDevice>(QStringLiteral("coap-client-openssl")));
    devices.push_back(std::make_unique<CoapDevice>(QStringLiteral("coap-client-gnutls")));
    return devices;
}

} // namespace dtlsd::test
