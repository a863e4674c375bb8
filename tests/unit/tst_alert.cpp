// SPDX-License-Identifier: Apache-2.0
#include "support/TestProgram.h"
#include "wire/Alert.h"

using namespace dtlsd;

class TestAlert : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anAlertIsALevelAndADescription();
    void itHasTheNameThatItsRfcGivesIt();
};

void TestAlert::anAlertIsALevelAndADescription()
{
    QCOMPARE(Alert::in(QByteArray("\x02\x28")),
             (Alert{Alert::Level::Fatal, AlertDescription::HandshakeFailure}));
    QCOMPARE(Alert::in(QByteArray("\x01\x00", 2)),
             (Alert{Alert::Level::Warning, AlertDescription::CloseNotify}));
    for (const QByteArray &content :
         {QByteArray(), QByteArray("\x02"), QByteArray("\x03\x28"), QByteArray("\x02\x28\x28")})
        QVERIFY2(!Alert::in(content), content.toHex().constData());
}

void TestAlert::itHasTheNameThatItsRfcGivesIt()
{
    const auto text = [](int description) {
        return Alert{Alert::Level::Fatal, static_cast<AlertDescription>(description)}.text();
    };
    QCOMPARE(text(0), "close_notify (0)");
    QCOMPARE(text(115), "unknown_psk_identity (115)");
    QCOMPARE(text(255), "unknown (255)");
}

DTLSD_TEST(TestAlert)
#include "tst_alert.moc"
