// SPDX-License-Identifier: Apache-2.0
#include "support/LoggedEvent.h"

#include "support/JournalInstance.h"

#include <QHash>
#include <QRegularExpression>
#include <QSet>

namespace dtlsd::test {

namespace {

const QHash<QString, QByteArray> priorities{{QStringLiteral("error"), "3"},
                                            {QStringLiteral("warning"), "4"},
                                            {QStringLiteral("notice"), "5"},
                                            {QStringLiteral("info"), "6"},
                                            {QStringLiteral("debug"), "7"}};

const QSet<QByteArray> numbers{
    "peer_port",     "sequence",        "payload_size",       "count",          "config_line",
    "duration_usec", "sessions",        "received_datagrams", "received_bytes", "sent_datagrams",
    "sent_bytes",    "half_open",       "sessions_opened",    "kernel_drops",   "taken_over",
    "unverified",    "sessions_closed", "handshakes_failed",  "bad_records"};

const QByteArray encoded = "_base64";

/// Whether only one of the two targets has the field.
bool isOfTheTarget(const QByteArray &name, const QJsonValue &value)
{
    static const QRegularExpression timestamp(
        QStringLiteral("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+Z$"));
    if (name == "ts")
        return timestamp.match(value.toString()).hasMatch();
    return name.startsWith('_') || (name == "syslog_identifier" && value.toString() == u"dtlsd");
}

QByteArray bytesOf(const QJsonValue &value)
{
    return value.isDouble() ? QByteArray::number(value.toInteger()) : JournalInstance::bytes(value);
}

/// Byte for byte: pattern and value are read as Latin-1.
QRegularExpression patternOf(const QByteArray &expected, const Fields &known)
{
    static const QRegularExpression token(QStringLiteral("<([^>]*)>|\\{([a-z_]+)\\}"));
    const QString text = QString::fromLatin1(expected);
    QString pattern;
    qsizetype at = 0;
    for (auto match = token.globalMatch(text); match.hasNext();) {
        const auto found = match.next();
        pattern += QRegularExpression::escape(text.mid(at, found.capturedStart() - at));
        pattern += found.hasCaptured(1)
                       ? QStringLiteral("(?:%1)").arg(found.captured(1))
                       : QRegularExpression::escape(QString::fromLatin1(
                             known.value(found.captured(2).toLatin1(), "(unknown)")));
        at = found.capturedEnd();
    }
    pattern += QRegularExpression::escape(text.mid(at));
    return QRegularExpression(QRegularExpression::anchoredPattern(pattern),
                              QRegularExpression::DotMatchesEverythingOption);
}

bool matches(const QByteArray &value, const QByteArray &expected, const Fields &known)
{
    if (!expected.contains('<') && !expected.contains('{'))
        return value == expected;
    return patternOf(expected, known).match(QString::fromLatin1(value)).hasMatch();
}

} // namespace

Fields fieldsOf(const QJsonObject &event)
{
    Fields fields;
    for (auto field = event.begin(); field != event.end(); ++field) {
        const QByteArray name = field.key().toLatin1();
        if (isOfTheTarget(name, field.value()))
            continue;
        if (name == "level")
            fields.insert("priority", priorities.value(field.value().toString()));
        else if (name.endsWith(encoded))
            fields.insert(name.chopped(encoded.size()),
                          QByteArray::fromBase64(field.value().toString().toLatin1()));
        else
            fields.insert(name, bytesOf(field.value()));
    }
    return fields;
}

QStringList wronglyTyped(const QJsonObject &event)
{
    QStringList names;
    for (auto field = event.begin(); field != event.end(); ++field) {
        if (field.value().isDouble() != numbers.contains(field.key().toLatin1()))
            names << field.key();
    }
    return names;
}

QStringList differences(const Fields &event, const Fields &expected, const Fields &facts)
{
    Fields known = event;
    known.insert(facts);
    QStringList result;
    for (auto field = expected.begin(); field != expected.end(); ++field) {
        if (!event.contains(field.key()))
            result << QStringLiteral("%1 is missing").arg(QLatin1String(field.key()));
        else if (!matches(event[field.key()], field.value(), known))
            result << QStringLiteral("%1 is \"%2\", not \"%3\"")
                          .arg(QLatin1String(field.key()), QString::fromUtf8(event[field.key()]),
                               QString::fromUtf8(field.value()));
    }
    for (auto field = event.begin(); field != event.end(); ++field) {
        if (!expected.contains(field.key()))
            result << QStringLiteral("%1 is surplus: \"%2\"")
                          .arg(QLatin1String(field.key()), QString::fromUtf8(field.value()));
    }
    return result;
}

} // namespace dtlsd::test
