// SPDX-License-Identifier: Apache-2.0
#include "control/Exposition.h"

#include <utility>

namespace dtlsd {

namespace {

QByteArray written(const Exposition::Label &label)
{
    QByteArray value = label.second.toByteArray();
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    return label.first.toByteArray() + "=\"" + value + '"';
}

} // namespace

Exposition::Exposition(const Label &common)
    : m_commonLabel(written(common))
{
}

void Exposition::begin(QByteArrayView name, QByteArrayView help)
{
    m_name = name.toByteArray();
    m_heading = "# HELP " + m_name + ' ' + help.toByteArray() + '\n';
    m_heading += "# TYPE " + m_name + (name.endsWith("_total") ? " counter\n" : " gauge\n");
}

void Exposition::append(Labels labels, const QByteArray &value)
{
    m_text += std::exchange(m_heading, {}) + m_name + '{' + m_commonLabel;
    for (const Label &label : labels)
        m_text += ',' + written(label);
    m_text += "} " + value + '\n';
}

} // namespace dtlsd
