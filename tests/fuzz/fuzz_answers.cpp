// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes what dtlsctl makes of answers: the input is a command, whether --json was given, what
// standard output is, and then whatever a server says. On a terminal nothing may be obeyed but
// dtlsctl's own colours; a file gets JSON lines as they came; and all of it is bounded.
#include "core/Escape.h"
#include "fuzz/Capture.h"
#include "fuzz/FuzzTarget.h"
#include "fuzz/Program.h"
#include "fuzz/TalkingServer.h"
#include "tools/dtlsctl/ControlCommand.h"
#include "tools/dtlsctl/Report.h"

#include <QJsonDocument>

#include <algorithm>

using namespace dtlsd;
using namespace dtlsd::fuzz;

namespace {

using Command = Arguments::Command;

constexpr qsizetype longestSentence = 16'384;

/// Whether a person sees each character of @p text, but for colours and, if @p redraws, moves of
/// the cursor that are dtlsctl's own.
bool isVisible(QByteArray text, bool redraws)
{
    for (const char *colour : {"\x1b[1m", "\x1b[33m", "\x1b[0m"})
        text.replace(colour, "");
    for (const char *move : {"\x1b[H", "\x1b[K", "\x1b[J"}) {
        if (redraws)
            text.replace(move, "");
    }
    const QString shown = QString::fromUtf8(text);
    const auto characters = shown.toUcs4();
    return shown.toUtf8() == text &&
           std::all_of(characters.begin(), characters.end(), [](char32_t character) {
               return character == '\n' || isPrintable(character);
           });
}

/// A screen of any size, as --watch draws it.
void checkScreen(const QByteArray &answer, const Terminal &terminal)
{
    const QJsonObject object = QJsonDocument::fromJson(answer.left(answer.indexOf('\n'))).object();
    TextBlock block;
    if (const auto status = StatusAnswer::parse(object))
        block = statusReport(status.value());
    if (const auto session = SessionAnswer::parse(object))
        block = sessionsReport({session.value(), session.value()}, terminal.columns);
    const QByteArray screen = terminal.redrawn(block);
    require(isVisible(screen, true), "a screen shows what it is told, and obeys nothing");
    require(terminal.rows <= 1 || screen.count('\n') < terminal.rows, "a screen is not exceeded");
}

void check(const Arguments &arguments, const Capture::Screen &screen, const QByteArray &answer)
{
    static TalkingServer server;
    server.say(answer);
    Arguments asked = arguments;
    asked.socket = server.path();
    std::optional<Failure> failure;
    QByteArray out;
    QByteArray errors;
    {
        const Capture capture(screen);
        failure = ControlCommand(asked).run();
        out = capture.output;
        errors = capture.errors;
    }
    server.finish();

    require(!failure || failure->message.size() <= longestSentence, "a reason is bounded");
    require(!failure || failure->status != 0, "a failure has a status");
    require(isVisible(errors, false), "warnings show what they are told, and obey nothing");
    require(out.size() + errors.size() <= longestSentence + 16 * answer.size(),
            "what is printed is no more than what came");
    if (screen.isTerminal)
        require(isVisible(out, false), "a terminal shows what it is told, and obeys nothing");
    else if (arguments.json)
        require(answer.startsWith(out), "a file gets the lines as they came");
    else if (arguments.command != Command::Metrics)
        require(isVisible(out, false), "a report is for people");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static constexpr Command commands[]{Command::Status,        Command::Sessions, Command::Close,
                                        Command::CloseIdentity, Command::Reload,   Command::Metrics,
                                        Command::Health,        Command::Restart,  Command::Send};
    const QByteArrayView input = viewOf(data, size);
    Program program(input);
    Arguments arguments;
    arguments.command = commands[program.numberBelow(std::size(commands))];
    arguments.name = "0123456789abcdef";
    arguments.data = "x";
    arguments.json = program.numberBelow(2) == 1;
    Capture::Screen screen;
    screen.isTerminal = program.numberBelow(2) == 1;
    screen.columns = program.number();
    screen.rows = program.number();
    const QByteArray answer = input.sliced(qMin<qsizetype>(input.size(), 5)).toByteArray();

    check(arguments, screen, answer);
    checkScreen(answer, {true, true, screen.columns, screen.rows});
    return 0;
}
