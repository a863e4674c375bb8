// SPDX-License-Identifier: Apache-2.0
//
// Exposition: metrics as text, in the dialect of whoever collects them.
//
// A name says what it is: `_total` a counter, `_info` an info, anything else a gauge; `_seconds`
// and `_bytes` are its unit. Where the two dialects differ, a text of the one cannot be had in the
// other: OpenMetrics names a counter's family without `_total`, for which Prometheus' text has no
// type.
#pragma once

#include <QByteArray>
#include <QByteArrayView>

#include <chrono>
#include <concepts>
#include <initializer_list>
#include <utility>

namespace dtlsd {

enum class MetricsDialect {
    Prometheus, ///< its text format 0.0.4, which node_exporter and promtool read
    OpenMetrics ///< 1.0
};

class Exposition
{
public:
    using Label = std::pair<QByteArrayView, QByteArrayView>;
    using Labels = std::initializer_list<Label>;

    /// @p common stands in every sample.
    Exposition(MetricsDialect dialect, const Label &common);

    /// Begins a family; its samples follow.
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

    /// The whole text.
    [[nodiscard]] QByteArray end() const { return m_text + "# EOF\n"; }

private:
    void append(Labels labels, const QByteArray &value);

    const MetricsDialect m_dialect;
    QByteArray m_commonLabel; // as it is written
    QByteArray m_name;        // of the family that was begun
    QByteArray m_text;
};

} // namespace dtlsd
