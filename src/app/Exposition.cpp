// SPDX-License-Identifier: Apache-2.0
#include "app/Exposition.h"

namespace dtlsd {

namespace {

constexpr QByteArrayView counterEnd("_total");
constexpr QByteArrayView infoEnd("_info");

QByteArray written(const Exposition::Label &label)
{
    QByteArray value = label.second.toByteArray();
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    return label.first.toByteArray() + "=\"" + value + '"';
}

QByteArrayView typeOf(QByteArrayView name, MetricsDialect dialect)
{
    if (name.endsWith(counterEnd))
        return "counter";
    return name.endsWith(infoEnd) && dialect == MetricsDialect::OpenMetrics ? "info" : "gauge";
}

/// OpenMetrics' family of a sample.
QByteArrayView familyOf(QByteArrayView name)
{
    for (const QByteArrayView end : {counterEnd, infoEnd}) {
        if (name.endsWith(end))
            return name.chopped(end.size());
    }
    return name;
}

QByteArrayView unitOf(QByteArrayView family)
{
    for (const QByteArrayView unit : {QByteArrayView("seconds"), QByteArrayView("bytes")}) {
        if (family.endsWith(unit))
            return unit;
    }
    return {};
}

} // namespace

Exposition::Exposition(MetricsDialect dialect, const Label &common)
    : m_dialect(dialect)
    , m_commonLabel(written(common))
{
}

void Exposition::begin(QByteArrayView name, QByteArrayView help)
{
    m_name = name.toByteArray();
    const bool isOpenMetrics = m_dialect == MetricsDialect::OpenMetrics;
    const QByteArrayView family = isOpenMetrics ? familyOf(name) : name;
    const auto describe = [&](const char *what, QByteArrayView text) {
        m_text += what;
        m_text.append(family).append(' ').append(text).append('\n');
    };
    describe("# HELP ", help);
    describe("# TYPE ", typeOf(name, m_dialect));
    if (const QByteArrayView unit = unitOf(family); isOpenMetrics && !unit.isEmpty())
        describe("# UNIT ", unit);
}

void Exposition::append(Labels labels, const QByteArray &value)
{
    m_text += m_name + '{' + m_commonLabel;
    for (const Label &label : labels)
        m_text += ',' + written(label);
    m_text += "} " + value + '\n';
}

} // namespace dtlsd
