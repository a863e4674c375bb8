// SPDX-License-Identifier: Apache-2.0
#include "bench/dtls-bench/Report.h"

#include "bench/dtls-bench/Modes.h"
#include "bench/load/Statistics.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <cmath>

namespace dtlsd::bench {

namespace {

constexpr int titleWidth = 44;
constexpr int columnWidth = 12;
constexpr int ratioWidth = 8;

/// Three digits that count, or all before the point.
QString valueText(double value)
{
    int decimals = 0;
    for (double scale = std::abs(value); scale < 100 && decimals < 3; scale *= 10)
        ++decimals;
    return QString::number(value, 'f', value == 0 ? 0 : decimals);
}

double valueOf(const Figures &figures, QLatin1StringView key)
{
    for (const Figure &figure : figures) {
        if (figure.key == key)
            return figure.value;
    }
    return 0;
}

QString heading(const QList<Finding> &findings)
{
    QString line(titleWidth, u' ');
    for (qsizetype i = 0; i < findings.size(); ++i) {
        line += findings[i].name.rightJustified(columnWidth + (i > 0 ? ratioWidth : 0)) +
                QStringLiteral("  ");
    }
    return line.trimmed().isEmpty() ? QString() : line + u'\n';
}

QJsonObject toJson(const Figures &figures)
{
    QJsonObject object;
    for (const Figure &figure : figures)
        object.insert(figure.key, figure.value);
    return object;
}

QJsonObject ratios(const Figures &figures, const Figures &first)
{
    QJsonObject object;
    for (const Figure &figure : figures)
        object.insert(figure.key, ratio(figure.value, valueOf(first, figure.key)));
    return object;
}

QJsonObject toJson(const Finding &finding, const Figures &first)
{
    QJsonArray rounds;
    for (const Figures &round : finding.rounds)
        rounds.append(toJson(round));
    const Figures median = medians(finding.rounds);
    return {{QStringLiteral("name"), finding.name},
            {QStringLiteral("rounds"), rounds},
            {QStringLiteral("median"), toJson(median)},
            {QStringLiteral("ratio"), ratios(median, first)}};
}

QJsonObject toJson(const Plan &plan)
{
    const auto number = [](std::size_t value) { return static_cast<qint64>(value); };
    return {{QStringLiteral("mode"), modeName(plan.mode)},
            {QStringLiteral("clients"), number(plan.clients)},
            {QStringLiteral("payload"), number(plan.payload)},
            {QStringLiteral("window"), number(plan.window)},
            {QStringLiteral("under_way"), number(plan.underWay)},
            {QStringLiteral("at_a_time"), number(plan.atATime)},
            {QStringLiteral("storm"), number(plan.storm)},
            {QStringLiteral("rate"), number(plan.rate)},
            {QStringLiteral("ciphers"), QString::fromUtf8(plan.ciphers)},
            {QStringLiteral("duration_seconds"), seconds(plan.duration)},
            {QStringLiteral("warm_up_seconds"), seconds(plan.warmUp)}};
}

} // namespace

QString toTable(const QList<Finding> &findings)
{
    if (findings.isEmpty())
        return {};
    QString table = heading(findings);
    const Figures first = medians(findings.constFirst().rounds);
    for (const Figure &row : first) {
        table += QString(row.title).leftJustified(titleWidth);
        for (qsizetype i = 0; i < findings.size(); ++i) {
            const double value = i == 0 ? row.value : valueOf(medians(findings[i].rounds), row.key);
            const QString share =
                i == 0 ? QString() : QStringLiteral("%1 x").arg(valueText(ratio(value, row.value)));
            table += valueText(value).rightJustified(columnWidth) +
                     (i == 0 ? QString() : share.rightJustified(ratioWidth)) + QStringLiteral("  ");
        }
        table += QString(row.unit) + u'\n';
    }
    return table;
}

QByteArray toJson(const Plan &plan, const QList<Finding> &findings)
{
    QJsonArray servers;
    const Figures first = findings.isEmpty() ? Figures() : medians(findings.constFirst().rounds);
    for (const Finding &finding : findings)
        servers.append(toJson(finding, first));
    const QJsonObject all{{QStringLiteral("plan"), toJson(plan)},
                          {QStringLiteral("servers"), servers}};
    return QJsonDocument(all).toJson();
}

} // namespace dtlsd::bench
