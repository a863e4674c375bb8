// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/KeyImport.h"

#include "config/FileMessages.h"
#include "config/KeyText.h"
#include "config/Lines.h"
#include "config/PskFile.h"
#include "core/Quantity.h"

#include <QHash>

#include <memory>

#include <openssl/crypto.h>

namespace dtlsd {

namespace {

constexpr qsizetype usualMinimum = 16; // bytes; the default of [tls] min_key_bytes

struct NamedKey
{
    QByteArray identity;
    PskKey key;
};

/// nullopt: the line is blank or a comment.
using Reading = Result<std::optional<NamedKey>>;

Reading reading(const QByteArray &identity, const Result<PskKey> &key)
{
    if (!key)
        return Error{QStringLiteral("the key ") + key.error().message};
    return std::optional(NamedKey{identity, key.value()});
}

/// Like stunnel, asks OpenSSL first: pairs of hex digits, with optional colons between them.
Result<PskKey> parseStunnelKey(const QByteArray &text)
{
    if (text.contains('\0'))
        return Error{QStringLiteral("has a NUL; text without it is accepted")};
    long size = 0;
    const auto release = [&size](unsigned char *bytes) {
        OPENSSL_clear_free(bytes, static_cast<std::size_t>(size));
    };
    const std::unique_ptr<unsigned char, decltype(release)> bytes(
        OPENSSL_hexstr2buf(text.constData(), &size), release);
    PskKey key(bytes ? QByteArray(reinterpret_cast<const char *>(bytes.get()), size) : text);
    if (key.size() < usualMinimum || key.size() > PskKey::maximumSize)
        return Error{QStringLiteral("is %1 long; stunnel accepts %2 or more, and dtlsd up to %3")
                         .arg(counted(key.size(), "byte"))
                         .arg(usualMinimum)
                         .arg(PskKey::maximumSize)};
    return key;
}

/// GnuTLS writes an identity that begins with # as its digits, and knows no comments.
Result<QByteArray> gnuTlsIdentity(const QByteArray &written)
{
    if (!written.startsWith('#'))
        return written;
    const QByteArray digits = written.sliced(1);
    QByteArray identity = QByteArray::fromHex(digits);
    if (identity.toHex() != digits.toLower())
        return Error{QStringLiteral("the identity begins with #, but is not hexadecimal; "
                                    "#hexidentity:hexkey is accepted, and no comments")};
    return identity;
}

Reading readLine(KeyFormat format, QByteArray line)
{
    if (format == KeyFormat::Stunnel) // which ignores carriage returns wherever they stand
        line.replace('\r', QByteArrayView());
    const bool isSkipped = format == KeyFormat::Mosquitto
                               ? line.startsWith('#') || line.trimmed().isEmpty()
                               : line.isEmpty();
    if (isSkipped)
        return std::optional<NamedKey>();
    const qsizetype colon = line.indexOf(':');
    if (colon < 0)
        return Error{QStringLiteral("there is no colon; identity:key is accepted")};
    const QByteArray identity = line.first(colon);
    const QByteArray key = line.sliced(colon + 1);
    switch (format) {
    case KeyFormat::Mosquitto: // which forgives blanks around both parts
        return reading(identity.trimmed(), parseHexKey(key.trimmed()));
    case KeyFormat::Stunnel:
        return reading(identity, parseStunnelKey(key));
    case KeyFormat::GnuTls:
        break;
    }
    const Result<QByteArray> meant = gnuTlsIdentity(identity);
    return meant ? reading(meant.value(), parseHexKey(key)) : meant.error();
}

class Importer
{
public:
    Importer(KeyFormat format, const QString &file)
        : m_format(format)
        , m_errors(file, QStringLiteral("errors"))
        , m_warnings(file, QStringLiteral("warnings"))
    {
    }

    void warnAboutByteOrderMark();
    void takeLine(const QByteArray &line, int number);
    ImportedKeys take();

private:
    [[nodiscard]] QString problemWith(const NamedKey &entry) const;

    const KeyFormat m_format;
    QHash<QByteArray, int> m_firstLine; // of each identity
    ImportedKeys m_keys;                // only its lines, before take()
    FileMessages m_errors;
    FileMessages m_warnings;
};

/// The other servers read it as part of the first identity, which no device would send.
void Importer::warnAboutByteOrderMark()
{
    m_warnings.append(1, QStringLiteral("the byte order mark at the start of the file is left out; "
                                        "the server that had the file took it for a part of the "
                                        "first identity"));
}

void Importer::takeLine(const QByteArray &line, int number)
{
    const Reading read = readLine(m_format, line);
    if (!read)
        return m_errors.append(number, read.error().message);
    const auto &entry = read.value();
    if (!entry)
        return;
    if (const QString problem = problemWith(*entry); !problem.isEmpty())
        return m_errors.append(number, problem);
    m_firstLine.insert(entry->identity, number);
    m_keys.lines += keyLine(entry->identity, entry->key);
    if (const QString doubt = keyLineDoubt(entry->identity); !doubt.isEmpty())
        m_warnings.append(number, doubt);
    if (entry->key.size() < usualMinimum)
        m_warnings.append(number,
                          QStringLiteral("the key is %1 long, and can be guessed from one recorded "
                                         "handshake; dtlsd accepts it only if [tls] min_key_bytes "
                                         "allows that")
                              .arg(counted(entry->key.size(), "byte")));
}

QString Importer::problemWith(const NamedKey &entry) const
{
    if (const int first = m_firstLine.value(entry.identity); first != 0)
        return QStringLiteral("the identity is already in line %1; each identity is accepted once")
            .arg(first);
    return keyLineProblem(entry.identity);
}

ImportedKeys Importer::take()
{
    if (m_errors.isEmpty() && m_keys.lines.isEmpty())
        m_errors.append(0, QStringLiteral("there is no key in it"));
    m_keys.errors = m_errors.all();
    m_keys.warnings = m_warnings.all();
    return std::move(m_keys);
}

} // namespace

ImportedKeys importKeys(KeyFormat format, const QString &file, QByteArrayView content)
{
    Importer importer(format, file);
    const Result<QByteArrayView> text = withoutByteOrderMark(content);
    if (!text)
        return {{}, {{file, 1, QStringLiteral("the file ") + text.error().message}}, {}};
    if (text.value().size() < content.size())
        importer.warnAboutByteOrderMark();
    forEachLine(text.value(), [&importer](QByteArrayView line, int number) {
        importer.takeLine(line.toByteArray(), number);
        return true;
    });
    return importer.take();
}

} // namespace dtlsd
