// SPDX-License-Identifier: Apache-2.0
#include "support/ConfigFolder.h"
#include "support/TestProgram.h"

using namespace dtlsd;
using namespace Qt::StringLiterals;

class TestListenCheck : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void listenAcceptsPortZero();
    void whatTheMachineLacksIsTold_data();
    void whatTheMachineLacksIsTold();

private:
    ConfigFolder m_folder;
};

void TestListenCheck::listenAcceptsPortZero()
{
    const ConfigResult result = m_folder.load("[server]\nlisten = 127.0.0.1:0\n[psk]\nfile =\n"
                                              "[identity a]\nkey = text:sixteen bytes ok\n");
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(result.config.server.listen.size(), 1);
    QCOMPARE(result.config.server.listen[0].port(), 0);
}

void TestListenCheck::whatTheMachineLacksIsTold_data()
{
    QTest::addColumn<QByteArray>("listen"); // empty: not written
    QTest::addColumn<bool>("hasIPv6");
    QTest::addColumn<QString>("used");
    QTest::addColumn<QStringList>("warnings");
    QTest::addColumn<QStringList>("missing");
    const auto row = [](const char *name, const QByteArray &listen, bool hasIPv6,
                        const QString &used, const QStringList &warnings,
                        const QStringList &missing) {
        QTest::newRow(name) << listen << hasIPv6 << used << warnings << missing;
    };
    const auto leftOut = [](const QString &place) {
        return QStringList{u"DIR/dtlsd.ini%1: [server] listen: \"[::]:22334\" is left out: this "
                           "kernel has no IPv6, or keeps it from this service; the other addresses "
                           "are listened on"_s.arg(place)};
    };
    const auto impossible = [](const QString &address) {
        return QStringList{u"DIR/dtlsd.ini:2: [server] listen: \"%1\" cannot be listened on: this "
                           "kernel has no IPv6, or keeps it from this service; IPv4 addresses are "
                           "accepted"_s.arg(address)};
    };
    const auto absent = [](const QString &address) {
        return QStringList{u"DIR/dtlsd.ini:2: [server] listen: \"%1\" names an interface that this "
                           "machine does not have, or not yet; the ones that ip link shows are "
                           "accepted"_s.arg(address)};
    };
    row("the default, with IPv6", {}, true, u"0.0.0.0:22334, [::]:22334"_s, {}, {});
    row("the default, without IPv6", {}, false, u"0.0.0.0:22334"_s, leftOut({}), {});
    row("[::], written, without IPv6", "0.0.0.0:22334, [::]:22334", false, u"0.0.0.0:22334"_s,
        leftOut(u":2"_s), {});
    row("[::] alone without IPv6", "[::]:22334", false, u"[::]:22334"_s, {},
        impossible(u"[::]:22334"_s));
    row("an IPv6 address without IPv6", "0.0.0.0:22334, [2001:db8::1]:1", false,
        u"0.0.0.0:22334, [2001:db8::1]:1"_s, {}, impossible(u"[2001:db8::1]:1"_s));
    row("IPv4 in its IPv6 form without IPv6", "[::ffff:127.0.0.1]:1", false, u"127.0.0.1:1"_s, {},
        {});
    row("an interface that is not there", "[fe80::1%nosuch0]:1", true, u"[fe80::1]:1"_s, {},
        absent(u"[fe80::1%nosuch0]:1"_s));
    row("the number of an interface that is not there", "[fe80::1%999999]:1", true,
        u"[fe80::1%999999]:1"_s, {}, absent(u"[fe80::1%999999]:1"_s));
    row("an interface that is there", "[fe80::1%lo]:1", true, u"[fe80::1%1]:1"_s, {}, {});
}

void TestListenCheck::whatTheMachineLacksIsTold()
{
    QFETCH(QByteArray, listen);
    QFETCH(bool, hasIPv6);
    QFETCH(QString, used);
    QFETCH(QStringList, warnings);
    QFETCH(QStringList, missing);
    const QByteArray server =
        listen.isEmpty() ? QByteArray() : "[server]\nlisten = " + listen + '\n';
    const ConfigResult result =
        m_folder.load(server + "[psk]\nfile =\n[identity a]\nkey = text:sixteen bytes ok\n", {},
                      Machine{.hasIPv6 = hasIPv6});
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(toString(result.config.server.listen), used);
    QCOMPARE(m_folder.texts(result.warnings), warnings);
    QCOMPARE(m_folder.texts(result.missing), missing);
}

DTLSD_TEST(TestListenCheck)
#include "tst_listencheck.moc"
