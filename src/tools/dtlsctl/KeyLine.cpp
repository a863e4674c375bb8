// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/KeyLine.h"

#include "config/Lines.h"
#include "config/PskFile.h"

namespace dtlsd {

QString keyLineProblem(const QByteArray &identity)
{
    if (QString problem = identityProblem(identity); !problem.isEmpty())
        return problem;
    if (identity.contains('\n'))
        return QStringLiteral("the identity has a line feed; an identity of one line is accepted");
    static const QString way =
        QStringLiteral("; a section [identity NAME] of dtlsd.ini is accepted instead");
    if (identity.contains(':'))
        return QStringLiteral("the identity has a colon, at which a line of a key file ends it") +
               way;
    if (identity.startsWith('#'))
        return QStringLiteral("the identity begins with #, as a comment of a key file does") + way;
    if (identity.startsWith(byteOrderMark))
        return QStringLiteral("the identity begins with a byte order mark; one without it is "
                              "accepted");
    return {};
}

QByteArray keyLine(const QByteArray &identity, const PskKey &key)
{
    return identity + ':' + key.bytes().toHex() + '\n';
}

} // namespace dtlsd
