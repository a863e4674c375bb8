// SPDX-License-Identifier: Apache-2.0
#include "app/Gathering.h"
#include "support/TestProgram.h"

#include <vector>

using namespace dtlsd;

class TestGathering : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_told.clear(); }

    void answersAreToldTogetherInTheOrderOfTheWorkers()
    {
        Gathering<int> gathering(3, hear());
        gathering.take(2, 30);
        gathering.take(0, 10);
        QVERIFY(m_told.empty());
        gathering.take(1, 20);
        QCOMPARE(m_told.size(), 1U);
        QCOMPARE(m_told[0].value(), (std::vector<int>{10, 20, 30}));
        gathering.giveUp();
        QCOMPARE(m_told.size(), 1U);
    }

    void aWorkerThatDoesNotAnswerIsNamed()
    {
        Gathering<int> gathering(3, hear());
        gathering.take(2, 30);
        gathering.take(0, 10);
        gathering.giveUp();
        QCOMPARE(m_told.size(), 1U);
        QCOMPARE(m_told[0].error().message, QStringLiteral("worker 1 does not answer"));
        gathering.take(1, 20); // too late
        QCOMPARE(m_told.size(), 1U);
    }

private:
    using Answers = Gathering<int>::Answers;

    Then<Answers> hear()
    {
        return [this](const Answers &answers) { m_told.push_back(answers); };
    }

    std::vector<Answers> m_told;
};

DTLSD_TEST(TestGathering)
#include "tst_gathering.moc"
