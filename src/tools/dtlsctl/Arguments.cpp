// SPDX-License-Identifier: Apache-2.0
#include "tools/dtlsctl/Arguments.h"

#include "config/Config.h"
#include "config/Diagnostics.h"
#include "core/Escape.h"
#include "core/Version.h"
#include "dtls/Psk.h"
#include "dtls/SessionQuery.h"
#include "tools/dtlsctl/Help.h"
#include "wire/Record.h"

#include <QCommandLineParser>
#include <QDir>
#include <QFile>

#include <algorithm>
#include <array>

#include <sysexits.h>

namespace dtlsd {

namespace {

using Command = Arguments::Command;
using Stop = Arguments::Stop;

struct Form
{
    QLatin1StringView words;
    Command command;
    QLatin1StringView operands; ///< `SESSION DATA`; empty: there are none
    bool asksDaemon = true;
    bool canWatch = false;
};

constexpr std::array forms{
    Form{QLatin1StringView("status"), Command::Status, {}, true, true},
    Form{QLatin1StringView("sessions"), Command::Sessions, {}, true, true},
    Form{QLatin1StringView("close"), Command::Close, QLatin1StringView("SESSION")},
    Form{QLatin1StringView("close-identity"), Command::CloseIdentity, QLatin1StringView("NAME")},
    Form{QLatin1StringView("send"), Command::Send, QLatin1StringView("SESSION DATA")},
    Form{QLatin1StringView("reload"), Command::Reload, {}},
    Form{QLatin1StringView("restart"), Command::Restart, {}},
    Form{QLatin1StringView("metrics"), Command::Metrics, {}},
    Form{QLatin1StringView("health"), Command::Health, {}},
    Form{QLatin1StringView("key new"), Command::KeyNew, QLatin1StringView("NAME"), false},
    Form{QLatin1StringView("key import"), Command::KeyImport, QLatin1StringView("FILE"), false},
};

Stop wrongUsage(const QString &problem)
{
    return {QStringLiteral("dtlsctl: %1; see dtlsctl --help\n").arg(problem), EX_USAGE};
}

/// QCommandLineParser takes text: Latin-1 maps each byte to a character and back.
QStringList characters(const QList<QByteArray> &arguments)
{
    QStringList result;
    for (const QByteArray &argument : arguments)
        result += QString::fromLatin1(argument);
    return result;
}

QString shownName(const QString &characters)
{
    return escaped(characters.toLatin1());
}

struct Switches
{
    const QCommandLineOption socket{QStringLiteral("socket"), {}, QStringLiteral("PATH")};
    const QCommandLineOption json{QStringLiteral("json")};
    const QCommandLineOption watch{QStringLiteral("watch")};
    const QCommandLineOption limit{QStringLiteral("limit"), {}, QStringLiteral("N")};
    const QCommandLineOption identity{QStringLiteral("identity"), {}, QStringLiteral("NAME")};
    const QCommandLineOption format{QStringLiteral("format"), {}, QStringLiteral("FORMAT")};
    const QCommandLineOption version{QStringLiteral("version")};
    const QCommandLineOption help{QStringLiteral("help")};

    [[nodiscard]] QList<QCommandLineOption> all() const
    {
        return {socket, json, watch, limit, identity, format, version, help};
    }
};

/// Takes the words of a command from the front of @p words.
std::variant<Form, Stop> takeCommand(QStringList &words)
{
    QStringList known;
    for (const Form &form : forms) {
        known += form.words;
        const QStringList own = QString(form.words).split(u' ');
        if (words.size() >= own.size() && words.first(own.size()) == own) {
            words.remove(0, own.size());
            return form;
        }
    }
    if (words.isEmpty())
        return wrongUsage(QStringLiteral("a command is missing; ") + acceptedNames(known));
    const qsizetype length = words.constFirst() == u"key" ? 2 : 1;
    const QString given = words.first(std::min(length, words.size())).join(u' ');
    return wrongUsage(QStringLiteral("there is no command %1%2; %3")
                          .arg(shownName(given), suggestion(given, known), acceptedNames(known)));
}

/// An error for an option that has no meaning for this command, or a missing one; empty: none.
QString misplacedOption(const QCommandLineParser &parser, const Switches &switches,
                        const Form &form)
{
    const QString command = QString(form.words);
    if (parser.isSet(switches.watch) && !form.canWatch)
        return QStringLiteral("--watch does not go with %1; it goes with status and sessions")
            .arg(command);
    if (parser.isSet(switches.limit) && form.command != Command::Sessions)
        return QStringLiteral("--limit does not go with %1; it goes with sessions").arg(command);
    if (parser.isSet(switches.identity) && form.command != Command::Sessions &&
        form.command != Command::Send)
        return QStringLiteral("--identity does not go with %1; it goes with sessions and send")
            .arg(command);
    if (parser.isSet(switches.format) != (form.command == Command::KeyImport))
        return form.command == Command::KeyImport
                   ? QStringLiteral("--format is missing; mosquitto, stunnel or gnutls is accepted")
                   : QStringLiteral("--format does not go with %1; it goes with key import")
                         .arg(command);
    if (!form.asksDaemon && (parser.isSet(switches.json) || parser.isSet(switches.socket)))
        return QStringLiteral("--json and --socket do not go with %1, which asks no dtlsd")
            .arg(command);
    return {};
}

QString identityProblem(const QByteArray &identity)
{
    if (PskStore::isValidIdentity(identity))
        return {};
    return QStringLiteral("the identity has %1 bytes; up to %2 bytes are accepted")
        .arg(identity.size())
        .arg(PskStore::maximumIdentitySize);
}

QString operandProblem(const QString &operand, const QByteArray &value)
{
    if (operand == u"NAME")
        return identityProblem(value);
    if (operand == u"SESSION" && !sessionIdIn(value))
        return QStringLiteral("%1 is no session; 16 hexadecimal digits are accepted, as dtlsctl "
                              "sessions shows them")
            .arg(escaped(value));
    if (operand == u"DATA" && (value.isEmpty() || value.size() > Record::maximumPlaintext))
        return QStringLiteral("DATA has %1 bytes; 1 to %2 bytes are accepted")
            .arg(value.size())
            .arg(Record::maximumPlaintext);
    if (operand == u"FILE" && value.isEmpty())
        return QStringLiteral("the name of the file is empty; a file, or - for standard input, is "
                              "accepted");
    return {};
}

/// Reads the operands of @p form, which have to be all of @p words; an error for what is missing,
/// too much, or not accepted.
QString readOperands(const QStringList &words, const Form &form, Arguments &arguments)
{
    QString usage = form.words;
    QStringList wanted = QString(form.operands).split(u' ', Qt::SkipEmptyParts);
    if (form.command == Command::Send && arguments.identity) {
        usage += QStringLiteral(" --identity NAME");
        wanted.removeFirst();
    }
    if (words.size() < wanted.size())
        return QStringLiteral("%1 is missing; %2 is accepted")
            .arg(wanted[words.size()], (QStringList{usage} + wanted).join(u' '));
    if (words.size() > wanted.size())
        return QStringLiteral("unexpected argument %1").arg(shownName(words[wanted.size()]));
    for (qsizetype i = 0; i < wanted.size(); ++i) {
        const QByteArray value = words[i].toLatin1();
        if (const QString problem = operandProblem(wanted[i], value); !problem.isEmpty())
            return problem;
        if (wanted[i] == u"DATA")
            arguments.data = value;
        else
            arguments.name = wanted[i] == u"SESSION" ? value.toLower() : value;
    }
    return {};
}

/// Which sessions the command is about; an error for a value that is not accepted.
QString readQuery(const QCommandLineParser &parser, const Switches &switches, Arguments &arguments)
{
    if (parser.isSet(switches.limit)) {
        const QString limit = parser.value(switches.limit);
        arguments.limit = limit.toInt(); // 0 if it is no number
        if (arguments.limit < 1 || arguments.limit > SessionQuery::maximumLimit)
            return QStringLiteral("--limit %1: a whole number from 1 to %2 is accepted")
                .arg(shownName(limit))
                .arg(SessionQuery::maximumLimit);
    }
    if (!parser.isSet(switches.identity))
        return {};
    arguments.identity = parser.value(switches.identity).toLatin1();
    return identityProblem(*arguments.identity);
}

std::variant<Arguments, Stop> read(const QCommandLineParser &parser, const Switches &switches)
{
    QStringList words = parser.positionalArguments();
    const auto form = takeCommand(words);
    if (const auto *stop = std::get_if<Stop>(&form))
        return *stop;
    const Form &command = std::get<Form>(form);
    if (const QString problem = misplacedOption(parser, switches, command); !problem.isEmpty())
        return wrongUsage(problem);
    const QString formatName = parser.value(switches.format);
    const auto format = valueIn(keyFormatNames, formatName);
    if (parser.isSet(switches.format) && !format)
        return wrongUsage(QStringLiteral("--format %1 is unknown; mosquitto, stunnel or gnutls is "
                                         "accepted")
                              .arg(shownName(formatName)));
    const QByteArray socket = parser.value(switches.socket).toLatin1();
    if (parser.isSet(switches.socket) && socket.isEmpty())
        return wrongUsage(QStringLiteral("--socket is empty; the path of a socket is accepted"));

    Arguments arguments;
    arguments.command = command.command;
    // QLocalSocket takes a relative path from the folder of temporary files.
    arguments.socket = socket.isEmpty()
                           ? ControlOptions().socket
                           : QDir::current().absoluteFilePath(QFile::decodeName(socket));
    arguments.json = parser.isSet(switches.json);
    arguments.watch = parser.isSet(switches.watch);
    arguments.format = format.value_or(KeyFormat::Mosquitto);
    QString problem = readQuery(parser, switches, arguments);
    if (problem.isEmpty())
        problem = readOperands(words, command, arguments);
    if (!problem.isEmpty())
        return wrongUsage(problem);
    return arguments;
}

} // namespace

QLatin1StringView Arguments::words() const
{
    return std::ranges::find(forms, command, &Form::command)->words;
}

std::variant<Arguments, Arguments::Stop> Arguments::parse(const QList<QByteArray> &arguments)
{
    const Switches switches;
    QCommandLineParser parser;
    parser.addOptions(switches.all());
    if (!parser.parse(characters(arguments))) {
        const QString problem = parser.errorText();
        return wrongUsage(shownName(problem.chopped(problem.endsWith(u'.') ? 1 : 0)));
    }
    if (parser.isSet(switches.help))
        return Stop{QString::fromUtf8(help), EX_OK};
    if (parser.isSet(switches.version))
        return Stop{QStringLiteral("dtlsctl %1\n").arg(version), EX_OK};
    return read(parser, switches);
}

} // namespace dtlsd
