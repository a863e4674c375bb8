// SPDX-License-Identifier: Apache-2.0
#include "support/ConfigFolder.h"
#include "support/TestProgram.h"
#include "tools/dtlsctl/KeyNew.h"

using namespace dtlsd;
using namespace Qt::StringLiterals;

namespace {

const QByteArray keyBytes("0123456789abcdefghijklmnopqrstuv");

} // namespace

class TestKeyNew : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aNewIdentityIsASection();
    void theEmptyIdentityIsASection();
    void aNameThatNoSectionCanHaveIsALine_data();
    void aNameThatNoSectionCanHaveIsALine();
    void aNameThatNothingCanHoldIsRefused_data();
    void aNameThatNothingCanHoldIsRefused();
    void whatIsMadeIsReadBackByteForByte();

private:
    ConfigFolder m_folder;
};

void TestKeyNew::aNewIdentityIsASection()
{
    const auto text = newIdentity("sensor-17", PskKey(keyBytes));
    QVERIFY(text.ok());
    QCOMPARE(text.value(), "[identity sensor-17]\nkey = hex:" + keyBytes.toHex() + '\n');
}

void TestKeyNew::theEmptyIdentityIsASection()
{
    const auto text = newIdentity({}, PskKey(keyBytes));
    QVERIFY(text.ok());
    QCOMPARE(text.value(), "[identity \"\"]\nkey = hex:" + keyBytes.toHex() + '\n');
    const ConfigResult result = m_folder.load("[psk]\nfile =\n" + text.value());
    QCOMPARE(m_folder.texts(result.errors), QStringList());
    QCOMPARE(result.config.settings.identities->identities().keys(), QByteArrayList{QByteArray()});
}

void TestKeyNew::aNameThatNoSectionCanHaveIsALine_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<QByteArray>("reason");
    QTest::newRow("a closing bracket") << "a]b"_ba
                                       << "the section's name has a ]"_ba;
    QTest::newRow("a quote at the front") << "\"a"_ba
                                          << "begins with a double quote"_ba;
    QTest::newRow("not UTF-8") << "a\xff"_ba
                               << "not valid UTF-8"_ba;
    QTest::newRow("blanks at the ends") << " a "_ba
                                        << "begins or ends with a blank"_ba;
    QTest::newRow("a control character") << "a\x1b[31m"_ba
                                         << "control character 0x1b"_ba;
    QTest::newRow("two quotes, which stand for the empty one")
        << "\"\""_ba
        << "dtlsd.ini would read another name"_ba;
    QTest::newRow("a star, which stands for all") << "*"_ba
                                                  << "[identity *] is for every"_ba;
}

void TestKeyNew::aNameThatNoSectionCanHaveIsALine()
{
    QFETCH(QByteArray, name);
    QFETCH(QByteArray, reason);
    const auto text = newIdentity(name, PskKey(keyBytes));
    QVERIFY(text.ok());
    QVERIFY2(text.value().startsWith("# For the file that [psk] file names"), text.value());
    QVERIFY2(text.value().contains(reason), text.value());
    QVERIFY(text.value().endsWith(".\n" + name + ':' + keyBytes.toHex() + '\n'));
}

void TestKeyNew::aNameThatNothingCanHoldIsRefused_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::newRow("a colon and a closing bracket") << "a:]"_ba;
    QTest::newRow("a line feed") << "a\nb"_ba;
    QTest::newRow("a hash and a closing bracket") << "#]"_ba;
    QTest::newRow("a second entry") << "a]\nnext_key = hex:00\n[identity b"_ba;
}

void TestKeyNew::aNameThatNothingCanHoldIsRefused()
{
    QFETCH(QByteArray, name);
    const auto text = newIdentity(name, PskKey(keyBytes));
    QVERIFY(!text.ok());
    QVERIFY2(text.error().message.contains(u"is accepted in the one"),
             qPrintable(text.error().message));
}

void TestKeyNew::whatIsMadeIsReadBackByteForByte()
{
    int sections = 0;
    int lines = 0;
    for (int byte = 1; byte < 256; ++byte) {
        for (const QByteArray &name : {QByteArray(1, static_cast<char>(byte)),
                                       'x' + QByteArray(1, static_cast<char>(byte)) + 'y'}) {
            const auto text = newIdentity(name, PskKey(keyBytes));
            if (!text)
                continue;
            const bool isSection = text.value().startsWith('[');
            ++(isSection ? sections : lines);
            m_folder.write(u"psk.txt"_s, isSection ? QByteArray() : text.value());
            const ConfigResult result = m_folder.load("[psk]\nfile = psk.txt\n" +
                                                      (isSection ? text.value() : QByteArray()));
            QCOMPARE(m_folder.texts(result.errors), QStringList());
            QCOMPARE(result.config.settings.identities->size(), 1);
            const PskIdentity *identity = result.config.settings.identities->find(name);
            QVERIFY2(identity && !result.config.settings.identities->wildcard(), name.toHex());
            QCOMPARE(identity->key.bytes(), keyBytes);
        }
    }
    // All of ASCII's printable characters in the middle, but `]`, and alone, but blank, `"`, `]`,
    // `*`.
    QVERIFY2(sections > 180, QByteArray::number(sections));
    QVERIFY2(lines > 256, QByteArray::number(lines));
}

DTLSD_TEST(TestKeyNew)
#include "tst_keynew.moc"
