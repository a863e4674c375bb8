// SPDX-License-Identifier: Apache-2.0
//
// The PROXY header that a ServicePort keeps for a session.
#include "forward/ProxyHeader.h"
#include "forward/ServicePort.h"
#include "support/SampleEvents.h"
#include "support/TestProgram.h"

#include <QUdpSocket>

using namespace dtlsd;
using namespace dtlsd::test;

namespace {

struct AnswersOwner final : ServicePort::Owner
{
    void answered(std::span<const Outbound> some) override
    {
        answers.insert(answers.end(), some.begin(), some.end());
    }
    void assigned(const SessionHandle &, std::uint64_t) override {}
    void told(const ServiceEvent &) override {}

    std::vector<Outbound> answers;
};

} // namespace

class TestServiceHeader : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup() { m_service.reset(); }
    void aHeaderSaysWhereTheDeviceIs_data();
    void aHeaderSaysWhereTheDeviceIs();
    void anAnswerGoesToWhereTheDeviceIs();
    void aHeaderComesAndGoesWithTheSettings();

private:
    [[nodiscard]] std::shared_ptr<const ForwardSettings> settings(ForwardOptions::Header header)
    {
        return std::make_shared<const ForwardSettings>(
            ForwardOptions{{m_service->localAddress(), m_service->localPort()}, header},
            std::make_shared<PskStore>());
    }
    /// What the service gets when @p session says `21.5`.
    QByteArray forwarded(ServicePort &port, const SessionInfo &session)
    {
        if (!port.expects(session))
            return "not expected";
        port.deliver(session, "21.5");
        QByteArray datagram(2048, '\0');
        if (!m_service->hasPendingDatagrams() && !m_service->waitForReadyRead())
            return "not delivered";
        datagram.resize(
            m_service->readDatagram(datagram.data(), datagram.size(), &m_host, &m_port));
        return datagram;
    }

    std::unique_ptr<QUdpSocket> m_service;
    QHostAddress m_host; // where the last one came from
    quint16 m_port = 0;
};

void TestServiceHeader::init()
{
    m_service = std::make_unique<QUdpSocket>();
    QVERIFY(m_service->bind(QHostAddress(QHostAddress::LocalHost), 0));
}

void TestServiceHeader::aHeaderSaysWhereTheDeviceIs_data()
{
    QTest::addColumn<SocketAddress>("peer");
    QTest::addColumn<SocketAddress>("local");
    const SessionInfo info = session();
    const SocketAddress other = SocketAddress::parse(u"198.51.100.9:7").value();
    QTest::newRow("as long as it stays") << info.path.peer << info.path.local;
    QTest::newRow("when it has another port") << info.path.peer.withPort(7) << info.path.local;
    QTest::newRow("when it has another address") << other << info.path.local;
    QTest::newRow("when it speaks to another address") << info.path.peer << other;
    QTest::newRow("when it has moved to IPv6")
        << SocketAddress::parse(u"[2001:db8::7]:5683").value()
        << SocketAddress::parse(u"[2001:db8::1]:22334").value();
}

void TestServiceHeader::aHeaderSaysWhereTheDeviceIs()
{
    QFETCH(SocketAddress, peer);
    QFETCH(SocketAddress, local);
    AnswersOwner owner;
    ServicePort port(settings(ForwardOptions::Header::Proxy), std::make_shared<SharedServices>(),
                     owner);
    const SessionInfo before = session();
    SessionInfo after = before;
    after.path = {peer, local};
    // Twice each: the second has the header that was made for the first. An entry of before may be
    // settled after it has moved.
    for (const SessionInfo &info : {before, before, after, after, before, after})
        QCOMPARE(forwarded(port, info), proxyHeader(info) + "21.5");
}

void TestServiceHeader::anAnswerGoesToWhereTheDeviceIs()
{
    AnswersOwner owner;
    ServicePort port(settings(ForwardOptions::Header::Proxy), std::make_shared<SharedServices>(),
                     owner);
    SessionInfo info = session();
    forwarded(port, info);
    info.path.peer = info.path.peer.withPort(7);
    forwarded(port, info);
    QCOMPARE(m_service->writeDatagram("on", m_host, m_port), 2);
    QTRY_COMPARE(owner.answers.size(), 1U);
    QVERIFY(owner.answers[0].session.id == info.id);
    QVERIFY(owner.answers[0].session.path == info.path);
    QCOMPARE(owner.answers[0].payload, "on");
}

void TestServiceHeader::aHeaderComesAndGoesWithTheSettings()
{
    using Header = ForwardOptions::Header;
    AnswersOwner owner;
    ServicePort port(settings(Header::None), std::make_shared<SharedServices>(), owner);
    const SessionInfo info = session();
    QCOMPARE(forwarded(port, info), "21.5");
    port.use(settings(Header::Proxy));
    QCOMPARE(forwarded(port, info), proxyHeader(info) + "21.5");
    port.use(settings(Header::None));
    QCOMPARE(forwarded(port, info), "21.5");
}

DTLSD_TEST(TestServiceHeader)
#include "tst_serviceheader.moc"
