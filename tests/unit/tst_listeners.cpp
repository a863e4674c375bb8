// SPDX-License-Identifier: Apache-2.0
#include "app/Listeners.h"
#include "support/TestProgram.h"

#include <QTest>

#include <algorithm>
#include <map>
#include <memory>

#include <unistd.h>

using namespace dtlsd;

namespace {

SocketAddress address(const char *text)
{
    return *SocketAddress::parse(QString::fromLatin1(text));
}

/// Listeners of a process to which a former one has left sockets.
struct Process
{
    Process(std::size_t workers, const std::vector<KeptDescriptor> &left)
        : keeping(KeepSessionsUse::Off, left)
        , listeners({.workers = workers, .receiveBuffer = 0, .warn = [](const QString &) {}},
                    keeping)
    {
    }

    bool bind(const QList<SocketAddress> &wanted)
    {
        auto bound = listeners.bind(wanted, [](const ListenFailed &) {});
        if (!bound)
            return false;
        sockets = std::move(bound).value();
        return true;
    }
    /// As if this process was killed.
    [[nodiscard]] std::vector<KeptDescriptor> left() const
    {
        std::vector<KeptDescriptor> kept;
        for (const Listeners::Socket &socket : sockets)
            kept.push_back({"dtlsd-kept-udp-" + QByteArray::number(qulonglong{socket.worker}) +
                                '-' + QByteArray::number(socket.descriptor.number()),
                            dup(socket.descriptor.number())});
        return kept;
    }
    /// By worker, with the group of each of its sockets.
    [[nodiscard]] std::multimap<std::size_t, std::uint64_t> groups() const
    {
        std::multimap<std::size_t, std::uint64_t> groups;
        for (const Listeners::Socket &socket : sockets)
            groups.emplace(socket.worker, socket.group);
        return groups;
    }

    Keeping keeping;
    Listeners listeners;
    std::vector<Listeners::Socket> sockets;
};

} // namespace

class TestListeners : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void socketsThatWereLeftAreUsed();
    void fewerWorkersShareThem();
    void moreWorkersGetMore();
    void whatIsNotWantedIsGivenUp();
    void anAddressThatCoversAFormerOneIsBound_data();
    void anAddressThatCoversAFormerOneIsBound();
};

void TestListeners::socketsThatWereLeftAreUsed()
{
    Process former(2, {});
    QVERIFY(former.bind({address("127.0.0.1:0")}));
    Process next(2, former.left());
    QVERIFY(next.bind({address("127.0.0.1:0")}));
    QCOMPARE(next.listeners.addresses(), former.listeners.addresses());
    QCOMPARE(next.sockets.size(), 2U);
    QVERIFY(next.groups() == former.groups());
}

void TestListeners::fewerWorkersShareThem()
{
    Process former(4, {});
    QVERIFY(former.bind({address("127.0.0.1:0")}));
    Process next(2, former.left());
    QVERIFY(next.bind({address("127.0.0.1:0")}));
    QCOMPARE(next.sockets.size(), 4U);
    const auto now = next.groups();
    for (const auto &[worker, group] : former.groups())
        QVERIFY(std::ranges::count(
                    now, std::pair<const std::size_t, std::uint64_t>(worker % 2, group)) == 1);
}

void TestListeners::moreWorkersGetMore()
{
    Process former(1, {});
    QVERIFY(former.bind({address("127.0.0.1:0")}));
    Process next(3, former.left());
    QVERIFY(next.bind({address("127.0.0.1:0")}));
    QCOMPARE(next.listeners.addresses(), former.listeners.addresses());
    QCOMPARE(next.sockets.size(), 3U);
    QVERIFY(next.sockets[0].group != former.sockets[0].group); // others get some of its peers
}

void TestListeners::whatIsNotWantedIsGivenUp()
{
    Process former(2, {});
    QVERIFY(former.bind({address("127.0.0.1:0")}));
    Process next(2, former.left());
    const QList<SocketAddress> wanted{address("[::1]:0")};
    QVERIFY(next.bind(wanted));
    QCOMPARE(next.listeners.addresses().size(), 2); // until its sessions have heard goodbye
    const auto left = next.listeners.leaveAllBut(wanted);
    QCOMPARE(left.size(), 1U);
    QCOMPARE(left[0].address, former.listeners.addresses().constFirst());
    QCOMPARE(left[0].names.size(), 2U);
    QCOMPARE(next.listeners.addresses().size(), 1);
}

void TestListeners::anAddressThatCoversAFormerOneIsBound_data()
{
    QTest::addColumn<QByteArray>("before");
    QTest::addColumn<QByteArray>("after");
    QTest::newRow("wider") << QByteArray("127.0.0.1:0") << QByteArray("0.0.0.0:0");
    QTest::newRow("narrower") << QByteArray("0.0.0.0:0") << QByteArray("127.0.0.1:0");
}

void TestListeners::anAddressThatCoversAFormerOneIsBound()
{
    QFETCH(QByteArray, before);
    QFETCH(QByteArray, after);
    auto former = std::make_unique<Process>(2, std::vector<KeptDescriptor>());
    QVERIFY(former->bind({address(before.constData())}));
    const std::uint16_t port = former->listeners.addresses().constFirst().port();
    Process next(2, former->left());
    former.reset();
    const SocketAddress wanted = address(after.constData()).withPort(port);
    QVERIFY(next.bind({wanted}));
    QCOMPARE(next.listeners.addresses(), QList<SocketAddress>{wanted});
    QCOMPARE(next.sockets.size(), 2U);
}

DTLSD_TEST(TestListeners)
#include "tst_listeners.moc"
