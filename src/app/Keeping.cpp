// SPDX-License-Identifier: Apache-2.0
#include "app/Keeping.h"

#include "core/Random.h"
#include "net/DatagramSocket.h"
#include "systemd/OwnUnit.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>

namespace dtlsd {

namespace {

constexpr std::chrono::seconds patience{2}; // with the service manager

const QByteArray ofSessions = QByteArrayLiteral("sessions-");
const QByteArray ofSocket = QByteArrayLiteral("udp-");

/// Whether both are of one file: to close one of them would end the lock of the other.
bool isSameFile(int one, int other)
{
    struct stat its = {};
    struct stat others = {};
    return fstat(one, &its) == 0 && fstat(other, &others) == 0 && its.st_dev == others.st_dev &&
           its.st_ino == others.st_ino;
}

bool isUdpSocket(int descriptor)
{
    int type = 0;
    socklen_t length = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM &&
           DatagramSocket::addressOf(descriptor).port() != 0;
}

} // namespace

Keeping::Keeping(KeepSessionsUse use, const std::vector<KeptDescriptor> &left)
    : m_canTakeOver(use != KeepSessionsUse::Inert)
    , m_isWanted(use == KeepSessionsUse::InForce && DescriptorStore::isThere())
{
    for (const auto &[name, number] : left)
        takeIn(name, Descriptor(number));
    if (const std::int64_t twins = SessionStore::wipeTwins(m_stores))
        m_lost.push_back({twins, QStringLiteral("they were found twice")});
    if (!m_isWanted)
        forgetAll();
}

void Keeping::takeIn(const QByteArray &name, Descriptor descriptor)
{
    const QByteArray kind = name.sliced(sizeof keptPrefix - 1);
    m_names.push_back(name);
    if (kind.startsWith(ofSocket)) {
        const QByteArray worker = kind.sliced(ofSocket.size()).split('-').constFirst();
        if (isUdpSocket(descriptor.number()))
            m_sockets.push_back({name, worker.toInt(), std::move(descriptor)});
        else
            forget(name);
        return;
    }
    const auto twin = std::ranges::find_if(m_stores, [&](const auto &store) {
        return isSameFile(store->descriptor(), descriptor.number());
    });
    if (twin != m_stores.end())
        return refuseTwin(name, std::move(descriptor), **twin);
    auto store = m_canTakeOver ? SessionStore::open(std::move(descriptor))
                               : Error{QStringLiteral("the TLS backend is Qt's own")};
    if (store)
        m_stores.push_back(std::move(store).value());
    else
        refuse(name, store.error().message);
}

void Keeping::refuse(const QByteArray &name, const QString &why)
{
    m_lost.push_back({0, QStringLiteral("%1: %2").arg(QString::fromLatin1(name), why)});
    forget(name);
}

/// To close it would end the lock of @p store, and to forget its name may remove both.
void Keeping::refuseTwin(const QByteArray &name, Descriptor twin, const SessionStore &store)
{
    const bool isOfBoth = std::ranges::count(m_names, name) > 1;
    m_twins.push_back(std::move(twin));
    refuse(name, QStringLiteral("it was passed twice"));
    if (isOfBoth && m_isWanted)
        static_cast<void>(this->store(ofSessions, store.descriptor()));
}

std::vector<std::unique_ptr<SessionStore>> Keeping::takeStores()
{
    return std::exchange(m_stores, {});
}

std::vector<SessionsLost> Keeping::lost(const Takeover::Count &count) const
{
    std::vector<SessionsLost> lost = m_lost;
    if (count.damaged > 0)
        lost.push_back({count.damaged, QStringLiteral("what was kept of them is damaged")});
    if (count.homeless > 0)
        lost.push_back({count.homeless, QStringLiteral("nothing listens at their address")});
    return lost;
}

std::unique_ptr<SessionStore> Keeping::newStore(std::size_t worker, std::size_t slots)
{
    if (!m_isWanted)
        return nullptr;
    auto made = SessionStore::make(static_cast<std::uint8_t>(worker), slots);
    if (!made) {
        m_failure = m_failure.value_or(made.error());
        return nullptr;
    }
    static_cast<void>(store(ofSessions, made.value()->descriptor()));
    return std::move(made).value();
}

QByteArray Keeping::keep(std::size_t worker, const Descriptor &socket)
{
    return m_isWanted
               ? store(ofSocket + QByteArray::number(qulonglong{worker}) + '-', socket.number())
               : QByteArray();
}

QByteArray Keeping::store(const QByteArray &kind, int descriptor)
{
    std::array<char, 8> random{};
    fillWithRandom(random.data(), random.size());
    QByteArray name = keptPrefix + kind + QByteArray(random.data(), random.size()).toHex();
    if (const Result<> stored = m_store.keep(name, descriptor); !stored)
        m_failure = m_failure.value_or(stored.error());
    m_names.push_back(name);
    m_isUnconfirmed = true;
    return name;
}

void Keeping::forget(const QByteArray &name)
{
    if (std::erase(m_names, name) > 0)
        m_store.forget(name);
}

void Keeping::awaitForgotten()
{
    static_cast<void>(m_store.barrier(patience)); // if it fails, so does what waits for it
}

void Keeping::forgetAll()
{
    for (const QByteArray &name : std::exchange(m_names, {}))
        m_store.forget(name);
    m_isInForce = false;
}

bool Keeping::isForARestart() const
{
    const Result<UnitJob> job = m_isInForce ? OwnUnit().job() : Result<UnitJob>(UnitJob::None);
    return job && job.value() == UnitJob::Restart;
}

Result<> Keeping::confirm()
{
    m_isUnconfirmed = false;
    if (!DescriptorStore::isThere())
        return Error{QStringLiteral("no service manager keeps descriptors")};
    if (!m_isWanted)
        return success();
    Result<> taken = m_failure ? Result<>(*m_failure) : m_store.barrier(patience);
    if (taken) {
        // A store that is full refuses in silence.
        const Result<unsigned> counted = OwnUnit().keptDescriptors();
        const std::size_t kept = counted ? counted.value() : DescriptorStore::most();
        if (kept < m_names.size())
            taken = Error{QStringLiteral("the service manager has kept %1 of %2 descriptors; "
                                         "FileDescriptorStoreMax= of the unit has to be larger")
                              .arg(kept)
                              .arg(m_names.size())};
    }
    m_isInForce = m_isWanted = taken.ok();
    if (!m_isInForce)
        forgetAll();
    return taken;
}

} // namespace dtlsd
