// SPDX-License-Identifier: Apache-2.0
#include "config/ListenCheck.h"

#include <algorithm>

namespace dtlsd {

namespace {

bool isAnyIPv6(const SocketAddress &address)
{
    return address == SocketAddress(QHostAddress(QHostAddress::AnyIPv6), address.port());
}

const QString &noIPv6()
{
    static const QString text =
        QStringLiteral("this kernel has no IPv6, or keeps it from this service");
    return text;
}

} // namespace

QStringView scopeOf(QStringView element)
{
    const qsizetype begin = element.indexOf(u'%') + 1;
    const qsizetype end = element.lastIndexOf(u']');
    return begin > 0 && end > begin ? element.sliced(begin, end - begin) : QStringView();
}

void checkListen(const QStringList &elements, const IniPlace &place, const Machine &machine,
                 QList<SocketAddress> &listen, Diagnostics &diagnostics)
{
    for (const QString &element : elements) {
        const QStringView scope = scopeOf(element);
        if (!scope.isEmpty() && !isInterface(scope))
            diagnostics.missing(place, shown(element) +
                                           QStringLiteral(" names an interface that this machine "
                                                          "does not have, or not yet; the ones "
                                                          "that ip link shows are accepted"));
    }
    if (machine.hasIPv6)
        return;
    const bool isAnythingElse = !std::all_of(listen.begin(), listen.end(), isAnyIPv6);
    for (const SocketAddress &address : QList<SocketAddress>(listen)) {
        if (address.isIPv4())
            continue;
        const QString text = shown(address.toString());
        if (!isAnyIPv6(address) || !isAnythingElse) {
            diagnostics.missing(place,
                                QStringLiteral("%1 cannot be listened on: %2; IPv4 addresses are "
                                               "accepted")
                                    .arg(text, noIPv6()));
            continue;
        }
        listen.removeOne(address);
        diagnostics.warning(place, QStringLiteral("%1 is left out: %2; the other addresses are "
                                                  "listened on")
                                       .arg(text, noIPv6()));
    }
}

} // namespace dtlsd
