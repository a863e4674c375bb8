// SPDX-License-Identifier: Apache-2.0
#include "config/ForwardCheck.h"

#include "config/IdentitySections.h"
#include "config/ValueCodec.h"

#include <algorithm>
#include <utility>

namespace dtlsd {

bool receivesFor(const SocketAddress &listen, const SocketAddress &target)
{
    const QHostAddress any(target.isIPv4() ? QHostAddress::AnyIPv4 : QHostAddress::AnyIPv6);
    return listen == target || listen == SocketAddress(any, target.port());
}

namespace {

// Descriptors that are not for sessions: sockets, stores, the log's and the control socket's.
constexpr std::int64_t ownDescriptors = 256;

void checkTarget(const SocketAddress &target, const IniPlace &place, const Config &config,
                 const Machine &machine, Diagnostics &diagnostics)
{
    if (!(target.isIPv4() ? machine.hasIPv4 : machine.hasIPv6))
        diagnostics.error(
            place,
            QStringLiteral("%1 cannot be reached: this process may use no %2 socket "
                           "(RestrictAddressFamilies= of its unit), or the kernel has no %2; a "
                           "unit that allows it is accepted, such as one with the drop-in "
                           "with-service.conf in place of socket-activated.conf")
                .arg(shown(target.toString()),
                     target.isIPv4() ? QStringLiteral("IPv4") : QStringLiteral("IPv6")));
    const auto &listen = config.server.listen;
    if (std::ranges::any_of(listen, [&](const auto &it) { return receivesFor(it, target); }))
        diagnostics.error(place, shown(target.toString()) +
                                     QStringLiteral(" is an address of this dtlsd ([server] "
                                                    "listen); that of a service is accepted"));
    if (!target.isIPv4() && config.settings.limits.maxSessions > sourcesForIPv6)
        diagnostics.warning(
            place, QStringLiteral("a service at [::1] can tell %1 sessions apart, those that ended "
                                  "in the last five minutes among them, and [limits] max_sessions "
                                  "is %2; a service at 127.0.0.1 has no such limit")
                       .arg(sourcesForIPv6)
                       .arg(config.settings.limits.maxSessions));
}

} // namespace

void checkForward(const IniDocument &document, const Config &config, const Machine &machine,
                  Diagnostics &diagnostics)
{
    bool isUsed = false;
    for (const IniDocument::Section &section : document.sections()) {
        if (section.name != u"server" && !IdentitySections::isOne(section))
            continue;
        for (const IniDocument::Entry &entry : section.entries) {
            if (entry.key != u"forward")
                continue;
            const auto target = serviceAddress().parse(entry.value);
            if (!target || target.value() == SocketAddress())
                continue; // a bad value is an error already
            const IniPlace place{entry.line, section.name, entry.key};
            checkTarget(target.value(), place, config, machine, diagnostics);
            const std::int64_t sessions = config.settings.limits.maxSessions;
            if (!std::exchange(isUsed, true) && machine.descriptors < sessions + ownDescriptors)
                diagnostics.warning(
                    place,
                    QStringLiteral("each session with a service needs a descriptor, and "
                                   "this process may have %1, for max_sessions = %2; "
                                   "allow %3 (LimitNOFILE= of a unit, nofile of a container), "
                                   "or set a smaller max_sessions")
                        .arg(machine.descriptors)
                        .arg(sessions)
                        .arg(sessions + ownDescriptors));
        }
    }
    const IniDocument::Entry *header = document.find(u"server", u"forward_header");
    if (header && config.forward.header != ForwardOptions::Header::None && !isUsed)
        diagnostics.warning({header->line, QStringLiteral("server"), header->key},
                            QStringLiteral("has no effect, as nothing is forwarded"));
}

} // namespace dtlsd
