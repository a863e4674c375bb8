// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes tools/dtlsctl/KeyImport: the input is a digit for the format and another server's key
// file. Either there are errors, and dtlsctl writes nothing, or PskFile reads the lines back with
// the identities and keys that the file had. No message may show a key.
#include "config/Lines.h"
#include "config/PskFile.h"
#include "fuzz/FuzzTarget.h"
#include "fuzz/KeyLines.h"
#include "fuzz/MemoryFile.h"
#include "fuzz/Program.h"
#include "tools/dtlsctl/KeyImport.h"

#include <algorithm>

using namespace dtlsd;
using namespace dtlsd::fuzz;

namespace {

constexpr qsizetype mostMessages = 101; // 100, and the number of the others

void checkMessages(const QList<ConfigMessage> &messages, const QByteArrayList &lines)
{
    require(messages.size() <= mostMessages, "messages are bounded");
    for (const ConfigMessage &message : messages) {
        require(!message.text.isEmpty(), "a message says what is wrong");
        require(message.line >= 0 && message.line <= qMax<qsizetype>(lines.size(), 1),
                "a message is about a line");
        require(message.line == 0 || lines.isEmpty() ||
                    !shows(message.text, lines[message.line - 1]),
                "a message shows no key");
    }
}

/// As one of the formats would read it.
bool says(const QByteArray &line, const QByteArray &identity, const PskKey &key)
{
    QByteArray stripped = line;
    stripped.replace('\r', QByteArrayView());
    for (const QByteArray &text : {line, stripped}) {
        const qsizetype colon = text.indexOf(':');
        const QByteArray name = text.first(qMax<qsizetype>(colon, 0));
        const QByteArray secret = text.sliced(colon + 1);
        const bool isName = name == identity || name.trimmed() == identity ||
                            (name.startsWith('#') && QByteArray::fromHex(name) == identity);
        const bool isKey = secret == key.bytes() || QByteArray::fromHex(secret) == key.bytes();
        if (colon >= 0 && isName && isKey)
            return true;
    }
    return false;
}

void checkWritten(const QByteArray &written, const QByteArrayList &lines)
{
    static MemoryFile file;
    file.write(written);
    PskStore store;
    require(addPskFile(file.path(), 1, {}, store).errors.isEmpty(), "what is written can be read");
    require(!store.isEmpty() && store.size() == written.count('\n'),
            "each line that is written is an identity");
    for (auto entry = store.identities().begin(); entry != store.identities().end(); ++entry)
        require(std::any_of(
                    lines.begin(), lines.end(),
                    [&](const QByteArray &line) { return says(line, entry.key(), entry->key); }),
                "an identity has the key that it had");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static constexpr KeyFormat formats[]{KeyFormat::Mosquitto, KeyFormat::Stunnel,
                                         KeyFormat::GnuTls};
    const QByteArrayView input = viewOf(data, size);
    const KeyFormat format = formats[Program(input).numberBelow(std::size(formats))];
    const QByteArrayView content = input.sliced(qMin<qsizetype>(1, input.size()));

    const ImportedKeys keys = importKeys(format, QStringLiteral("keys"), content);
    const Result<QByteArrayView> text = withoutByteOrderMark(content);
    const QByteArrayList lines = text ? linesOf(text.value()) : QByteArrayList();
    checkMessages(keys.errors, lines);
    checkMessages(keys.warnings, lines);
    require(text || !keys.errors.isEmpty(), "UTF-16 is an error");
    if (keys.errors.isEmpty())
        checkWritten(keys.lines, lines);
    return 0;
}
