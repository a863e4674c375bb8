// SPDX-License-Identifier: Apache-2.0
//
// ServicePort: hands what the devices of one worker say to local services, and takes the answers.
//
// Each session has a socket of its own, so that a service sees a peer for each device, as long as
// the session lives: wherever the device moves, and over a restart (KeptState::service()). It is
// made for the first datagram, and closed with the session. All of them wait in one epoll(7), so
// that thousands cost nothing while they are idle.
//
//                 expects()             deliver(), withhold()                end()
//   no entry      entry, awaited 1      -                                    -
//   entry         awaited + 1           awaited - 1; opens the socket, sends  marked; without an
//                                                                            entry if none is
//                                                                            awaited
//   marked entry  -                     awaited - 1; sends; no entry if      -
//                                       that was the last
#pragma once

#include "core/Descriptor.h"
#include "forward/ForwardSettings.h"
#include "forward/ServiceEvents.h"
#include "forward/ServiceHealth.h"
#include "forward/ServiceSocket.h"
#include "forward/SourceAddresses.h"

#include <QSocketNotifier>
#include <QTimer>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace dtlsd {

/// What the ServicePorts of a process share.
struct SharedServices
{
    SourceAddresses ipv4{SourceAddresses::Family::IPv4};
    SourceAddresses ipv6{SourceAddresses::Family::IPv6};
    ServiceHealth health;
    /// Descriptors from this number on are left to the rest of the process: the control socket and
    /// the log must work, however many sessions there are.
    const int firstSpared = descriptorLimit() - 64;

    [[nodiscard]] SourceAddresses &sourcesFor(const SocketAddress &target)
    {
        return target.isIPv4() ? ipv4 : ipv6;
    }
};

class ServicePort
{
public:
    using Clock = std::chrono::steady_clock;

    class Owner
    {
    public:
        /// The services' answers; those to one session in their order.
        virtual void answered(std::span<const Outbound> answers) = 0;
        /// @p word is what resume() needs in a next process; 0: nothing.
        virtual void assigned(const SessionHandle &session, std::uint64_t word) = 0;
        virtual void told(const ServiceEvent &event) = 0;

    protected:
        ~Owner() = default;
    };

    /// @p owner outlives it, and is called from within any non-const function.
    ServicePort(std::shared_ptr<const ForwardSettings> settings,
                std::shared_ptr<SharedServices> shared, Owner &owner);

    /// New settings, for each session from its next datagram on.
    void use(std::shared_ptr<const ForwardSettings> settings);
    /// Whether any identity has a service.
    [[nodiscard]] bool isUsed() const { return m_settings->isUsed(); }

    /// Whether what @p session says goes to a service. If so, deliver() or withhold() must follow.
    [[nodiscard]] bool expects(const SessionInfo &session);
    void deliver(const SessionInfo &session, const QByteArray &payload);
    /// The entry of what it said was not kept.
    void withhold(const SessionInfo &session);
    void end(SessionId session);

    /// A session of a former process is open again, which had @p word.
    void resume(const SessionInfo &session, std::uint64_t word);
    /// One that had @p word has ended at @p ended.
    void rest(std::uint64_t word, SourceAddresses::BootTime ended);

    [[nodiscard]] const ForwardStatistics &statistics() const { return m_statistics; }

private:
    struct Link
    {
        SessionHandle session;
        QByteArray identity;
        SocketAddress target;
        SocketAddress source;
        QByteArray header = {}; // of the last datagram of `session`, if there was one
        ServiceSocket socket;
        std::uint32_t generation = 0; // of the settings that the target is from
        int awaited = 0;              // datagrams whose entries are not settled yet
        bool hasEnded = false;        // the session
    };
    using Links = std::unordered_map<SessionId, Link>;

    void followSettings(Link &link);
    [[nodiscard]] bool open(Link &link);
    [[nodiscard]] int open(Link &link, const SocketAddress &source);
    void close(Link &link);
    [[nodiscard]] QByteArray headerFor(Link &link, const SessionInfo &session) const;
    void send(Link &link, const SessionInfo &session, const QByteArray &payload);
    Link &enter(const SessionInfo &session, const SocketAddress &target);
    void settled(Links::iterator link);
    void forgetIfOver(Links::iterator link);
    void receive();
    void receive(Link &link, std::vector<Outbound> &answers);
    void lose(const Link &link, ForwardDrop cause, int error);
    void report();

    std::shared_ptr<const ForwardSettings> m_settings;
    std::uint32_t m_generation = 0; // of m_settings
    const std::shared_ptr<SharedServices> m_shared;
    Owner &m_owner;
    const Descriptor m_epoll;
    QSocketNotifier m_readable;
    QTimer m_timer; // for report()
    std::vector<char> m_buffer;
    Links m_links; // of sessions that have said something
    ForwardStatistics m_statistics;
};

} // namespace dtlsd
