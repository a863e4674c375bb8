// SPDX-License-Identifier: Apache-2.0
#include "config/IdentityDoubt.h"

#include "config/Encoding.h"

namespace dtlsd {

namespace {

bool isInvisible(QChar c)
{
    return c.isSpace() || c.category() == QChar::Other_Format;
}

bool isQuoted(QStringView text)
{
    return text.size() > 1 && text.front() == text.back() &&
           (text.front() == u'"' || text.front() == u'\'');
}

} // namespace

QString identityDoubt(QByteArrayView identity)
{
    if (identity.isEmpty())
        return {};
    const QString text = QString::fromUtf8(identity);
    if (text == u"*")
        return QStringLiteral("the identity is a * and stands for no other; a section "
                              "[identity *] of dtlsd.ini is accepted for any identity");
    if (text.startsWith(u';') || text.startsWith(u"//"))
        return QStringLiteral("the line is an identity, and no comment; a comment that begins with "
                              "# and a blank is accepted");
    // The decoder takes a byte order mark away.
    const bool begins = identity.startsWith(byteOrderMark) || isInvisible(text[0]);
    if (begins || isInvisible(text.back()))
        return QStringLiteral("the identity %1 with a blank or an invisible character, which is a "
                              "part of it; a device that sends it as well is accepted")
            .arg(begins ? QStringLiteral("begins") : QStringLiteral("ends"));
    if (isQuoted(text))
        return QStringLiteral("the identity has quotes around it, which are a part of it; a device "
                              "that sends them as well is accepted");
    return {};
}

} // namespace dtlsd
