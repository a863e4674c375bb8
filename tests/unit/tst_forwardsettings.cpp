// SPDX-License-Identifier: Apache-2.0
#include "forward/ForwardSettings.h"
#include "support/TestProgram.h"

using namespace dtlsd;

namespace {

const SocketAddress general = SocketAddress::parse(u"127.0.0.1:5683").value();
const SocketAddress own = SocketAddress::parse(u"127.0.0.1:514").value();
const SocketAddress ofTheRest = SocketAddress::parse(u"[::1]:7").value();

PskIdentity with(std::optional<SocketAddress> forward)
{
    PskIdentity identity;
    identity.key = PskKey(QByteArray(16, 'k'));
    identity.forward = forward;
    return identity;
}

/// `plain` says nothing of it, `own` has a service of its own, `none` has none.
std::shared_ptr<PskStore> identities()
{
    auto store = std::make_shared<PskStore>();
    store->add("plain", with({}));
    store->add("own", with(own));
    store->add("none", with(SocketAddress()));
    return store;
}

ForwardSettings settings(const SocketAddress &target, const std::shared_ptr<PskStore> &store)
{
    return {ForwardOptions{.target = target}, store};
}

} // namespace

class TestForwardSettings : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anIdentityHasItsOwnServiceOrTheGeneralOne();
    void withoutAGeneralServiceSomeHaveOne();
    void theWildcardsServiceIsForAnyOther();
    void nothingIsUsedWhereNobodyHasAService();
    void aServiceIsListedOnce();
};

void TestForwardSettings::anIdentityHasItsOwnServiceOrTheGeneralOne()
{
    const ForwardSettings forward = settings(general, identities());
    QCOMPARE(forward.targetOf("plain"), general);
    QCOMPARE(forward.targetOf("own"), own);
    QCOMPARE(forward.targetOf("none"), SocketAddress());
    QVERIFY(forward.isUsed());
    QCOMPARE(forward.targets(), (QList<SocketAddress>{general, own}));
}

void TestForwardSettings::withoutAGeneralServiceSomeHaveOne()
{
    const ForwardSettings forward = settings({}, identities());
    QCOMPARE(forward.targetOf("plain"), SocketAddress());
    QCOMPARE(forward.targetOf("own"), own);
    QCOMPARE(forward.targetOf("none"), SocketAddress());
    QVERIFY(forward.isUsed());
    QCOMPARE(forward.targets(), QList<SocketAddress>{own});
}

void TestForwardSettings::theWildcardsServiceIsForAnyOther()
{
    const auto store = identities();
    store->setWildcard(with(ofTheRest));
    const ForwardSettings forward = settings(general, store);
    QCOMPARE(forward.targetOf("anybody"), ofTheRest);
    QCOMPARE(forward.targetOf(""), ofTheRest);
    QCOMPARE(forward.targetOf("plain"), general);
    QCOMPARE(forward.targets(), (QList<SocketAddress>{general, own, ofTheRest}));
    store->setWildcard(with(SocketAddress()));
    QCOMPARE(settings(general, store).targetOf("anybody"), SocketAddress());
}

void TestForwardSettings::nothingIsUsedWhereNobodyHasAService()
{
    const auto store = std::make_shared<PskStore>();
    store->add("none", with(SocketAddress()));
    store->add("plain", with({}));
    store->setWildcard(with(SocketAddress()));
    const ForwardSettings forward = settings({}, store);
    QVERIFY(!forward.isUsed());
    QCOMPARE(forward.targets(), QList<SocketAddress>());
    QCOMPARE(forward.targetOf("plain"), SocketAddress());
}

void TestForwardSettings::aServiceIsListedOnce()
{
    const auto store = std::make_shared<PskStore>();
    for (const char *name : {"a", "b", "c"})
        store->add(name, with(general));
    QCOMPARE(settings(general, store).targets(), QList<SocketAddress>{general});
}

DTLSD_TEST(TestForwardSettings)
#include "tst_forwardsettings.moc"
