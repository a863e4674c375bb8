// SPDX-License-Identifier: Apache-2.0
//
// Exposition: metrics in Prometheus' text format 0.0.4, which Prometheus, node_exporter and
// promtool read. A name that ends with `_total` is a counter, any other a gauge.
#pragma once

#include <QByteArray>
#include <QByteArrayView>

#include <chrono>
#include <concepts>
#include <initializer_list>
#include <utility>

namespace dtlsd {

class Exposition
{
public:
    using Label = std::pair<QByteArrayView, QByteArrayView>;
    using Labels = std::initializer_list<Label>;

    /// Every sample has the label @p common.
    explicit Exposition(const Label &common);

    /// Begins a metric family; its samples follow. One without samples is left out.
    void begin(QByteArrayView name, QByteArrayView help);

    void sample(std::integral auto value, Labels labels = {})
    {
        if constexpr (std::signed_integral<decltype(value)>)
            append(labels, QByteArray::number(qint64{value}));
        else
            append(labels, QByteArray::number(quint64{value}));
    }
    void sample(std::chrono::microseconds value, Labels labels = {})
    {
        append(labels, QByteArray::number(std::chrono::duration<double>(value).count(), 'f', 6));
    }

    [[nodiscard]] const QByteArray &text() const { return m_text; }

private:
    void append(Labels labels, const QByteArray &value);

    QByteArray m_commonLabel; // formatted
    QByteArray m_name;        // of the family begun last
    QByteArray m_heading;     // of it, until its first sample
    QByteArray m_text;
};

} // namespace dtlsd
