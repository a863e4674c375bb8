// SPDX-License-Identifier: Apache-2.0
#include "LossConditions.h"

namespace dtlsd::test {

namespace {

LossCondition lost(const QString &name, Flight flight, int times = 1)
{
    return {.name = name,
            .plan = {.rules = {{.flight = flight, .last = times}}},
            .fault = Fault::Drop,
            .flight = flight,
            .times = times};
}

/// Chance takes @p rate of the datagrams, either way.
LossCondition lossy(const QString &name, double rate, std::uint64_t seed)
{
    const FaultRates rates{.drop = rate};
    return {.name = name, .plan = {.toServer = rates, .toClient = rates, .seed = seed}};
}

/// Meets each flight, message and alert the first @p times that it is sent.
LossCondition each(const QString &name, Fault fault, int times)
{
    // Overtaking is only possible where a flight travels in several datagrams.
    return {.name = name,
            .plan = {.rules = {{.fault = fault, .last = times}},
                     .splitRecords = fault == Fault::Reorder},
            .fault = fault};
}

LossCondition finishedLost()
{
    LossCondition condition =
        lost(QStringLiteral("the Finished of the client's flight 5 lost"), Flight::ClientFinish);
    condition.plan.splitRecords = true;
    condition.plan.rules.front().finishedOnly = true;
    return condition;
}

} // namespace

std::vector<LossCondition> lossConditions()
{
    return {{.name = QStringLiteral("nothing lost"), .plan = {}, .fault = Fault::None, .times = 0},
            lost(QStringLiteral("first hello lost"), Flight::FirstHello),
            lost(QStringLiteral("HelloVerifyRequest lost"), Flight::HelloVerifyRequest),
            lost(QStringLiteral("hello with cookie lost"), Flight::HelloWithCookie),
            lost(QStringLiteral("server's flight 4 lost"), Flight::ServerHello),
            lost(QStringLiteral("client's flight 5 lost"), Flight::ClientFinish),
            finishedLost(),
            lost(QStringLiteral("server's last flight lost"), Flight::ServerFinish),
            lost(QStringLiteral("server's last flight lost twice"), Flight::ServerFinish, 2),
            // Seeds that take several of the flights when they are sent first.
            lossy(QStringLiteral("10 % lost"), 0.1, 40),
            lossy(QStringLiteral("30 % lost"), 0.3, 30),
            each(QStringLiteral("each flight late, behind its repetition"), Fault::Delay, 1),
            each(QStringLiteral("records overtaken"), Fault::Reorder, FaultRule::forEver),
            each(QStringLiteral("everything doubled"), Fault::Duplicate, FaultRule::forEver),
            each(QStringLiteral("each flight cut in half once"), Fault::Truncate, 1)};
}

} // namespace dtlsd::test
