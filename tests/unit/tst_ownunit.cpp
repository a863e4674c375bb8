// SPDX-License-Identifier: Apache-2.0
#include "core/Descriptor.h"
#include "support/TestProgram.h"
#include "systemd/OwnUnit.h"

#include <QTemporaryDir>

#include <array>
#include <chrono>
#include <cstdint>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

using namespace dtlsd;

namespace {

constexpr std::chrono::milliseconds shortTime{50};
constexpr std::chrono::milliseconds longTime{60'000};
constexpr char unitPath[] = "/org/freedesktop/systemd1/unit/dtlsd_2eservice";
constexpr char jobPath[] = "/org/freedesktop/systemd1/job/1234";

struct Unit
{
    QByteArray jobType = {}; // empty: no job
    std::uint32_t keptDescriptors = 0;
    bool isKnown = true;
};

// The methods and properties that the class asks for, of the bus itself and of systemd on it.

int hello(sd_bus_message *call, void *, sd_bus_error *)
{
    return sd_bus_reply_method_return(call, "s", ":1.1");
}

int unitByPid(sd_bus_message *call, void *data, sd_bus_error *error)
{
    std::uint32_t pid = 0;
    sd_bus_message_read(call, "u", &pid);
    if (!static_cast<Unit *>(data)->isKnown || pid != static_cast<std::uint32_t>(getpid()))
        return sd_bus_error_set(error, "org.freedesktop.systemd1.NoUnitForPID", "no such unit");
    return sd_bus_reply_method_return(call, "o", unitPath);
}

int job(sd_bus *, const char *, const char *, const char *, sd_bus_message *reply, void *data,
        sd_bus_error *)
{
    return static_cast<Unit *>(data)->jobType.isEmpty()
               ? sd_bus_message_append(reply, "(uo)", 0, "/")
               : sd_bus_message_append(reply, "(uo)", 1234, jobPath);
}

int jobType(sd_bus *, const char *, const char *, const char *, sd_bus_message *reply, void *data,
            sd_bus_error *)
{
    return sd_bus_message_append(reply, "s", static_cast<Unit *>(data)->jobType.constData());
}

int keptDescriptors(sd_bus *, const char *, const char *, const char *, sd_bus_message *reply,
                    void *data, sd_bus_error *)
{
    return sd_bus_message_append(reply, "u", static_cast<Unit *>(data)->keptDescriptors);
}

// The macros leave fields of a union to be zero, and cast.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wpedantic"
constexpr std::uint64_t anybody = SD_BUS_VTABLE_UNPRIVILEGED;
const std::array<sd_bus_vtable, 3> busVtable{
    {SD_BUS_VTABLE_START(0), SD_BUS_METHOD("Hello", "", "s", hello, anybody), SD_BUS_VTABLE_END}};
const std::array<sd_bus_vtable, 3> managerVtable{
    {SD_BUS_VTABLE_START(0), SD_BUS_METHOD("GetUnitByPID", "u", "o", unitByPid, anybody),
     SD_BUS_VTABLE_END}};
const std::array<sd_bus_vtable, 3> unitVtable{
    {SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("Job", "(uo)", job, 0, 0), SD_BUS_VTABLE_END}};
const std::array<sd_bus_vtable, 3> serviceVtable{
    {SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("NFileDescriptorStore", "u", keptDescriptors, 0, 0),
     SD_BUS_VTABLE_END}};
const std::array<sd_bus_vtable, 3> jobVtable{
    {SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("JobType", "s", jobType, 0, 0), SD_BUS_VTABLE_END}};
#pragma GCC diagnostic pop

/// The socket of the system bus: connections to it wait until somebody serves them.
class BusSocket
{
public:
    BusSocket()
    {
        sockaddr_un at = {};
        at.sun_family = AF_UNIX;
        qstrncpy(at.sun_path, path().constData(), sizeof at.sun_path);
        m_isOpen =
            bind(m_descriptor.number(), reinterpret_cast<const sockaddr *>(&at), sizeof at) == 0 &&
            listen(m_descriptor.number(), 1) == 0;
        qputenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=" + path());
    }

    [[nodiscard]] bool isOpen() const { return m_isOpen; }
    [[nodiscard]] int accept() const
    {
        return ::accept4(m_descriptor.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }
    /// Lets accept() return, with -1 if nobody has connected.
    void stop() const { ::shutdown(m_descriptor.number(), SHUT_RDWR); }

private:
    [[nodiscard]] QByteArray path() const
    {
        return m_directory.filePath(QStringLiteral("bus")).toLocal8Bit();
    }

    QTemporaryDir m_directory;
    Descriptor m_descriptor{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    bool m_isOpen = false;
};

/// A system bus with a service manager that has one unit, this process's. It serves one connection.
class FakeServiceManager
{
public:
    explicit FakeServiceManager(const Unit &unit)
        : m_unit(unit)
        , m_thread([this] {
            if (const int client = m_socket.accept(); client >= 0)
                serve(client);
        })
    {
    }
    FakeServiceManager(const FakeServiceManager &) = delete;
    FakeServiceManager &operator=(const FakeServiceManager &) = delete;
    ~FakeServiceManager()
    {
        m_socket.stop();
        m_thread.join();
    }

private:
    void serve(int client)
    {
        sd_bus *bus = nullptr;
        sd_bus_new(&bus);
        sd_bus_set_fd(bus, client, client);
        sd_bus_set_server(bus, true, SD_ID128_MAKE(1, 2, 3, 4, 5, 6, 7, 8, 9, a, b, c, d, e, f, 0));
        const auto add = [&](const char *path, const char *interface, const auto &table) {
            sd_bus_add_object_vtable(bus, nullptr, path, interface, table.data(), &m_unit);
        };
        add("/org/freedesktop/DBus", "org.freedesktop.DBus", busVtable);
        add("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", managerVtable);
        add(unitPath, "org.freedesktop.systemd1.Unit", unitVtable);
        add(unitPath, "org.freedesktop.systemd1.Service", serviceVtable);
        add(jobPath, "org.freedesktop.systemd1.Job", jobVtable);
        sd_bus_start(bus);
        int done = 0;
        while (done >= 0) { // until the client leaves
            done = sd_bus_process(bus, nullptr);
            if (done == 0)
                done = sd_bus_wait(bus, UINT64_MAX);
        }
        sd_bus_close_unref(bus);
    }

    BusSocket m_socket;
    Unit m_unit;
    std::thread m_thread;
};

QString textOf(const Result<UnitJob> &job)
{
    return job ? QString::number(static_cast<int>(job.value())) : job.error().message;
}

} // namespace

class TestOwnUnit : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { qunsetenv("DBUS_SYSTEM_BUS_ADDRESS"); }

    void theJobOfTheUnitIsTold_data()
    {
        QTest::addColumn<QByteArray>("type");
        QTest::addColumn<int>("expected");
        const auto row = [](const char *name, const char *type, UnitJob expected) {
            QTest::newRow(name) << QByteArray(type) << static_cast<int>(expected);
        };
        row("no job", "", UnitJob::None);
        row("systemctl stop", "stop", UnitJob::Stop);
        row("systemctl restart", "restart", UnitJob::Restart);
        row("systemctl try-restart", "try-restart", UnitJob::Restart);
        row("systemctl reload-or-restart", "reload-or-restart", UnitJob::Restart);
        row("systemctl start", "start", UnitJob::Other);
        row("systemctl reload", "reload", UnitJob::Other);
    }
    void theJobOfTheUnitIsTold()
    {
        QFETCH(QByteArray, type);
        QFETCH(int, expected);
        const FakeServiceManager manager({.jobType = type});
        const auto job = OwnUnit(longTime).job();
        QVERIFY2(job, qPrintable(textOf(job)));
        QCOMPARE(static_cast<int>(job.value()), expected);
    }

    void keptDescriptorsAreCounted()
    {
        const FakeServiceManager manager({.keptDescriptors = 17});
        const auto kept = OwnUnit(longTime).keptDescriptors();
        QVERIFY2(kept, qPrintable(kept ? QString() : kept.error().message));
        QCOMPARE(kept.value(), 17U);
    }

    void aProcessThatIsNoServiceGetsTheReason()
    {
        const FakeServiceManager manager({.isKnown = false});
        QCOMPARE(textOf(OwnUnit(longTime).job()), QStringLiteral("GetUnitByPID: no such unit"));
    }

    void withoutABusNothingIsKnown()
    {
        qputenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        QCOMPARE(textOf(OwnUnit(longTime).job()),
                 QStringLiteral("no bus: No such file or directory"));
        QVERIFY(!OwnUnit(longTime).keptDescriptors());
    }

    void aBusThatDoesNotAnswerIsGivenUp()
    {
        const BusSocket socket;
        QVERIFY(socket.isOpen());
        QCOMPARE(textOf(OwnUnit(shortTime).job()), QStringLiteral("no bus: Connection timed out"));
        const Descriptor accepted(socket.accept());
        QCOMPARE(textOf(OwnUnit(shortTime).job()), QStringLiteral("no bus: Connection timed out"));
    }
};

DTLSD_TEST(TestOwnUnit)
#include "tst_ownunit.moc"
