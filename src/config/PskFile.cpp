// SPDX-License-Identifier: Apache-2.0
#include "config/PskFile.h"

#include "config/FileMessages.h"
#include "config/KeyText.h"
#include "config/Lines.h"
#include "config/RegularFile.h"

#include <algorithm>

namespace dtlsd {

namespace {

bool isBlankLine(QByteArrayView line)
{
    return line.trimmed().isEmpty();
}

bool isComment(QByteArrayView line)
{
    return line.startsWith('#') && (line.size() == 1 || line[1] == ' ' || line[1] == '\t');
}

bool isInvisible(QChar c)
{
    return c.isSpace() || c.category() == QChar::Other_Format;
}

bool isQuoted(QStringView text)
{
    return text.size() > 1 && text.front() == text.back() &&
           (text.front() == u'"' || text.front() == u'\'');
}

class PskFileReader
{
public:
    PskFileReader(const QString &path, qsizetype minimumKeySize, const TakenIdentities &taken,
                  PskStore &store)
        : m_path(path)
        , m_errors(path, QStringLiteral("errors"))
        , m_warnings(path, QStringLiteral("warnings"))
        , m_minimumKeySize(minimumKeySize)
        , m_taken(taken)
        , m_store(store)
    {
    }

    PskFileMessages read();

private:
    void readLine(QByteArrayView line, int number);
    Result<> addIdentity(QByteArrayView line, int number);
    [[nodiscard]] Error alreadyThere(const QByteArray &identity) const;
    [[nodiscard]] int firstLineOf(QByteArrayView identity) const;
    [[nodiscard]] bool isLastWithoutEnd(QByteArrayView line) const;

    const QString &m_path;
    FileMessages m_errors;
    FileMessages m_warnings;
    const qsizetype m_minimumKeySize;
    const TakenIdentities &m_taken;
    PskStore &m_store;
    QByteArray m_bytes;
    QByteArrayView m_content;   // without a byte order mark
    qsizetype m_longestKey = 0; // bytes; of the keys so far
};

PskFileMessages PskFileReader::read()
{
    Result<RegularFile> file = RegularFile::readSecret(m_path, keyFileLimit);
    if (!file)
        return {{{m_path, 0, file.error().message}}, {}};
    m_bytes = std::move(file).value().content;
    const Result<QByteArrayView> content = withoutByteOrderMark(m_bytes);
    if (!content)
        return {{{m_path, 1, QStringLiteral("the file ") + content.error().message}}, {}};
    m_content = content.value();
    m_store.reserve(m_store.size() + m_content.count('\n') + 1);
    forEachLine(m_content, [this](QByteArrayView line, int number) {
        readLine(line, number);
        return true;
    });
    return {m_errors.all(), m_warnings.all()};
}

void PskFileReader::readLine(QByteArrayView line, int number)
{
    if (isBlankLine(line) || isComment(line))
        return;
    if (const Result<> added = addIdentity(line, number); !added)
        m_errors.append(number, added.error().message);
}

Result<> PskFileReader::addIdentity(QByteArrayView line, int number)
{
    if (line.startsWith('#'))
        return Error{QStringLiteral("there is no blank after the #; comments that begin with # "
                                    "and a blank are accepted, the #hexidentity: of GnuTLS is "
                                    "not")};
    const qsizetype colon = line.indexOf(':');
    if (colon < 0)
        return Error{QStringLiteral("there is no colon; identity:hexkey is accepted")};
    const QByteArray identity = line.first(colon).toByteArray();
    if (const QString problem = identityProblem(identity); !problem.isEmpty())
        return Error{problem};
    Result<PskKey> key = parseHexKey(line.sliced(colon + 1), m_minimumKeySize);
    if (!key)
        return Error{QStringLiteral("the key ") + key.error().message};
    const qsizetype size = key.value().size();
    if (size < m_longestKey && isLastWithoutEnd(line))
        return Error{QStringLiteral("the last line has no line feed, and its key of %1 bytes is "
                                    "shorter than another of %2, as in a truncated file; a line "
                                    "feed after it, or a key as long as the longest, is accepted")
                         .arg(size)
                         .arg(m_longestKey)};
    m_longestKey = std::max(m_longestKey, size);
    if (m_taken.contains(identity) ||
        !m_store.add(identity, {std::move(key).value(), {}, {}, std::nullopt}))
        return alreadyThere(identity);
    if (const QString doubt = keyLineDoubt(identity); !doubt.isEmpty())
        m_warnings.append(number, doubt);
    return success();
}

/// Whether @p line ends the file without a line feed, as after a truncated write. A truncated key
/// may still be valid, but tools make keys of one length, so it is shorter than the others.
bool PskFileReader::isLastWithoutEnd(QByteArrayView line) const
{
    const char *end = m_content.constData() + m_content.size();
    return !m_content.endsWith('\n') && end - (line.data() + line.size()) <= 1; // a CR at most
}

Error PskFileReader::alreadyThere(const QByteArray &identity) const
{
    if (m_errors.isFull()) // its text is not shown, and the search is slow
        return {};
    const QString where = m_taken.contains(identity)
                              ? m_taken.value(identity)
                              : QStringLiteral("line %1").arg(firstLineOf(identity));
    return {
        QStringLiteral("the identity is already in %1; each identity is accepted once").arg(where)};
}

int PskFileReader::firstLineOf(QByteArrayView identity) const
{
    int first = 0;
    forEachLine(m_content, [&](QByteArrayView line, int number) {
        const bool found = line.size() > identity.size() && line.startsWith(identity) &&
                           line[identity.size()] == ':';
        first = found ? number : 0;
        return !found;
    });
    return first;
}

} // namespace

QString identityProblem(const QByteArray &identity)
{
    // Usually an accident: a program made the line from a missing value.
    if (identity.isEmpty())
        return QStringLiteral("the identity is missing; 1 to %1 bytes are accepted, and for the "
                              "empty identity a section [identity \"\"] of dtlsd.ini")
            .arg(PskStore::maximumIdentitySize);
    if (PskStore::isValidIdentity(identity))
        return {};
    return QStringLiteral("the identity has %1 bytes%2; 1 to %3 bytes without NUL are accepted")
        .arg(identity.size())
        .arg(identity.contains('\0') ? QStringLiteral(" and a NUL") : QString())
        .arg(PskStore::maximumIdentitySize);
}

QString identityDoubt(QByteArrayView identity)
{
    if (identity.isEmpty())
        return {};
    const QString text = QString::fromUtf8(identity);
    // The decoder removes a byte order mark.
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

QString keyLineDoubt(QByteArrayView identity)
{
    if (identity == "*")
        return QStringLiteral("the identity is a literal *, not a wildcard; a section "
                              "[identity *] of dtlsd.ini is accepted for any identity");
    if (identity.startsWith(';') || identity.startsWith("//"))
        return QStringLiteral("the line is an identity, and no comment; a comment that begins with "
                              "# and a blank is accepted");
    return identityDoubt(identity);
}

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

PskFileMessages addPskFile(const QString &path, qsizetype minimumKeySize,
                           const TakenIdentities &taken, PskStore &store)
{
    return PskFileReader(path, minimumKeySize, taken, store).read();
}

} // namespace dtlsd
