// SPDX-License-Identifier: Apache-2.0
#include "systemd/OwnUnit.h"

#include <QByteArray>
#include <QDeadlineTimer>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>
#include <unistd.h>

namespace dtlsd {

namespace {

constexpr char managerName[] = "org.freedesktop.systemd1";
constexpr std::uint32_t noJob = 0; // the number of a job that does not exist

struct Free
{
    void operator()(sd_bus *bus) const { sd_bus_close_unref(bus); } // does not wait, unlike a flush
    void operator()(sd_bus_message *message) const { sd_bus_message_unref(message); }
    void operator()(char *text) const { std::free(text); }
};

class BusError
{
public:
    BusError() = default;
    BusError(const BusError &) = delete;
    BusError &operator=(const BusError &) = delete;
    ~BusError() { sd_bus_error_free(&m_error); }

    sd_bus_error *get() { return &m_error; }
    /// @p result is what the call that filled this has returned.
    [[nodiscard]] Error describe(const char *what, int result) const
    {
        return Error{QStringLiteral("%1: %2").arg(
            QLatin1String(what),
            QString::fromLocal8Bit(m_error.message ? m_error.message : std::strerror(-result)))};
    }

private:
    sd_bus_error m_error = SD_BUS_ERROR_NULL;
};

bool isOfUserManager()
{
    char *unit = nullptr;
    const int result = sd_pid_get_user_unit(0, &unit);
    std::free(unit);
    return result >= 0;
}

/// A connection to the bus, and the path of this process's unit on it.
class Connection
{
public:
    explicit Connection(std::chrono::milliseconds patience)
        : m_deadline(patience)
    {
    }

    Result<> open()
    {
        sd_bus *bus = nullptr;
        int result = isOfUserManager() ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus);
        m_bus.reset(bus);
        if (result >= 0)
            result = waitUntilReady();
        if (result < 0)
            return BusError().describe("no bus", result);
        return findUnit();
    }

    [[nodiscard]] const QByteArray &unit() const { return m_unit; }

    /// A property of type u.
    Result<unsigned> number(const QByteArray &path, const char *interface, const char *name)
    {
        limitCall();
        BusError error;
        std::uint32_t value = 0;
        const int result = sd_bus_get_property_trivial(m_bus.get(), managerName, path.constData(),
                                                       interface, name, error.get(), 'u', &value);
        if (result < 0)
            return error.describe(name, result);
        return unsigned{value};
    }

    /// A property of type s.
    Result<QByteArray> text(const QByteArray &path, const char *interface, const char *name)
    {
        limitCall();
        BusError error;
        char *value = nullptr;
        const int result = sd_bus_get_property_string(m_bus.get(), managerName, path.constData(),
                                                      interface, name, error.get(), &value);
        const std::unique_ptr<char, Free> owner(value);
        if (result < 0)
            return error.describe(name, result);
        return QByteArray(value);
    }

    /// The path of the unit's job; empty if there is none.
    Result<QByteArray> jobPath()
    {
        limitCall();
        BusError error;
        sd_bus_message *reply = nullptr;
        int result = sd_bus_get_property(m_bus.get(), managerName, m_unit.constData(),
                                         "org.freedesktop.systemd1.Unit", "Job", error.get(),
                                         &reply, "(uo)");
        const std::unique_ptr<sd_bus_message, Free> owner(reply);
        std::uint32_t number = noJob;
        const char *path = nullptr;
        if (result >= 0)
            result = sd_bus_message_read(reply, "(uo)", &number, &path);
        if (result < 0)
            return error.describe("Job", result);
        return number == noJob ? QByteArray() : QByteArray(path);
    }

private:
    /// sd_bus_call(3) would wait for the bus's greeting as long as that takes.
    int waitUntilReady()
    {
        while (!m_deadline.hasExpired()) {
            int result = sd_bus_process(m_bus.get(), nullptr);
            if (result < 0)
                return result;
            if (sd_bus_is_ready(m_bus.get()) > 0)
                return 0;
            if (result == 0)
                result = sd_bus_wait(m_bus.get(), timeLeft());
            if (result < 0 && result != -EINTR)
                return result;
        }
        return -ETIMEDOUT;
    }

    Result<> findUnit()
    {
        limitCall();
        BusError error;
        sd_bus_message *reply = nullptr;
        int result =
            sd_bus_call_method(m_bus.get(), managerName, "/org/freedesktop/systemd1",
                               "org.freedesktop.systemd1.Manager", "GetUnitByPID", error.get(),
                               &reply, "u", static_cast<std::uint32_t>(getpid()));
        const std::unique_ptr<sd_bus_message, Free> owner(reply);
        const char *path = nullptr;
        if (result >= 0)
            result = sd_bus_message_read(reply, "o", &path);
        if (result < 0)
            return error.describe("GetUnitByPID", result);
        m_unit = path;
        return success();
    }

    void limitCall() { sd_bus_set_method_call_timeout(m_bus.get(), timeLeft()); }

    /// In microseconds, at least one: 0 would be the library's default of 25 s.
    [[nodiscard]] std::uint64_t timeLeft() const
    {
        const qint64 nanoseconds = m_deadline.remainingTimeNSecs();
        return static_cast<std::uint64_t>(nanoseconds / 1000 + 1);
    }

    const QDeadlineTimer m_deadline;
    std::unique_ptr<sd_bus, Free> m_bus;
    QByteArray m_unit;
};

} // namespace

Result<UnitJob> OwnUnit::job() const
{
    Connection connection(m_patience);
    if (const Result<> opened = connection.open(); !opened)
        return opened.error();
    const Result<QByteArray> path = connection.jobPath();
    if (!path)
        return path.error();
    if (path.value().isEmpty())
        return UnitJob::None;
    const Result<QByteArray> type =
        connection.text(path.value(), "org.freedesktop.systemd1.Job", "JobType");
    if (!type)
        return type.error();
    if (type.value().endsWith("restart"))
        return UnitJob::Restart;
    return type.value() == "stop" ? UnitJob::Stop : UnitJob::Other;
}

Result<unsigned> OwnUnit::keptDescriptors() const
{
    Connection connection(m_patience);
    if (const Result<> opened = connection.open(); !opened)
        return opened.error();
    return connection.number(connection.unit(), "org.freedesktop.systemd1.Service",
                             "NFileDescriptorStore");
}

} // namespace dtlsd
