// SPDX-License-Identifier: Apache-2.0
#include "control/MetricsFile.h"

#include "control/Metrics.h"
#include "core/Escape.h"

#include <QFile>
#include <QSaveFile>

#include <utility>

namespace dtlsd {

namespace {

/// A disk that gets full takes part of a write without an error, and QSaveFile does not notice:
/// with its buffer, QSaveFile::commit() would put a truncated file in place.
bool writeAll(QSaveFile &file, QByteArrayView text)
{
    while (!text.isEmpty()) {
        const qint64 written = file.write(text.data(), text.size());
        if (written <= 0)
            return false;
        text = text.sliced(written);
    }
    return true;
}

} // namespace

MetricsFile::MetricsFile(Source source, Warn warn, std::chrono::milliseconds interval)
    : m_source(std::move(source))
    , m_warn(std::move(warn))
{
    m_timer.setInterval(interval);
    connect(&m_timer, &QTimer::timeout, this, &MetricsFile::update);
}

void MetricsFile::setPath(const QString &path)
{
    if (path != m_path) {
        if (std::exchange(m_isThere, false))
            QFile::remove(m_path);
        m_failures.clear();
    }
    m_path = path;
    if (m_path.isEmpty())
        return m_timer.stop();
    m_timer.start();
    update();
}

void MetricsFile::update()
{
    m_source([this](const Result<DaemonState> &state) {
        // Without a state the file grows old, which shows that a worker hangs.
        if (state && !m_path.isEmpty())
            replace(metricsText(state.value()));
    });
}

void MetricsFile::replace(const QByteArray &text)
{
    const QString failure = write(text);
    if (failure.isEmpty()) {
        m_isThere = true;
        m_failures.clear();
    } else if (!m_failures.contains(failure)) {
        m_failures += failure;
        m_warn(QStringLiteral("[control] metrics_file: cannot write %1: %2")
                   .arg(escaped(m_path.toUtf8()), failure));
    }
}

/// Returns the error; empty after success.
QString MetricsFile::write(const QByteArray &text) const
{
    QSaveFile file(m_path);
    // Regardless of the umask: the collector runs as another user.
    constexpr auto forAll = QFileDevice::ReadOwner | QFileDevice::WriteOwner |
                            QFileDevice::ReadGroup | QFileDevice::ReadOther;
    const bool done = file.open(QIODevice::WriteOnly | QIODevice::Unbuffered) &&
                      file.setPermissions(forAll) && writeAll(file, text) && file.commit();
    return done ? QString() : file.errorString();
}

} // namespace dtlsd
