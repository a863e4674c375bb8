// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes config/PskFile and config/KeyText: the input is a key file. Each of its lines must end up
// as a valid identity with a key within bounds, or as an error with its number, and no error may
// show a key.
#include "config/KeyText.h"
#include "config/Lines.h"
#include "config/PskFile.h"
#include "fuzz/FuzzTarget.h"
#include "fuzz/KeyLines.h"
#include "fuzz/MemoryFile.h"

using namespace dtlsd;
using namespace dtlsd::fuzz;

namespace {

constexpr qsizetype shownErrors = 100;

bool saysSomething(const QByteArray &line)
{
    const bool isComment = line == "#" || line.startsWith("# ") || line.startsWith("#\t");
    return !isComment && !line.trimmed().isEmpty();
}

qsizetype checkErrors(const QList<ConfigMessage> &errors, const QByteArrayList &lines)
{
    require(errors.size() <= shownErrors + 1, "errors are bounded");
    qsizetype count = 0;
    for (const ConfigMessage &error : errors) {
        require(!error.text.isEmpty(), "an error says what is wrong");
        require(error.line >= 0 && error.line <= lines.size(), "an error is about a line");
        if (error.line > 0) {
            require(saysSomething(lines[error.line - 1]), "blanks and comments are no errors");
            require(!shows(error.text, lines[error.line - 1]), "an error shows no key");
            ++count;
        } else {
            require(error.text.endsWith(QStringLiteral(" more errors")), "all others have a line");
            count += error.text.section(u' ', 0, 0).toLongLong();
        }
    }
    return count;
}

void checkFile(const QString &path, const QByteArrayList &lines, qsizetype minimumKeySize)
{
    PskStore store;
    const auto errors =
        addPskFile(path, minimumKeySize, {{"taken", QStringLiteral("x:1")}}, store).errors;
    const qsizetype wrong = checkErrors(errors, lines);
    require(store.size() + wrong == std::count_if(lines.begin(), lines.end(), saysSomething),
            "each line is an identity or an error");
    for (auto entry = store.identities().begin(); entry != store.identities().end(); ++entry) {
        const QByteArray line = entry.key() + ':' + entry->key.bytes().toHex();
        require(PskStore::isValidIdentity(entry.key()), "an identity is valid");
        require(entry.key() != "taken", "an identity that is taken stays so");
        require(entry->key.size() >= minimumKeySize && entry->key.size() <= PskKey::maximumSize,
                "a key is within bounds");
        require(std::any_of(lines.begin(), lines.end(),
                            [&](const QByteArray &written) {
                                return written.size() == line.size() &&
                                       written.startsWith(entry.key() + ':') &&
                                       written.toLower().endsWith(line.mid(entry.key().size()));
                            }),
                "a key is what was written");
    }
}

void checkKey(const Result<PskKey> &key, qsizetype minimumSize)
{
    if (!key) {
        require(!key.error().message.isEmpty(), "a refusal says what is wrong");
        return;
    }
    const qsizetype size = key.value().size();
    require(size >= minimumSize && size <= PskKey::maximumSize, "a key is within bounds");
    const auto again = parseBareKey("hex:" + key.value().bytes().toHex(), minimumSize);
    require(again && again.value() == key.value(), "a key is read as it is written");
}

void checkKeyText(const QByteArray &line)
{
    for (const qsizetype minimumSize : {1, 16}) {
        checkKey(parseBareKey(line, minimumSize), minimumSize);
        checkKey(parseHexKey(line, minimumSize), minimumSize);
        if (!line.startsWith("file:"))
            checkKey(parseKey(QString::fromUtf8(line), {minimumSize, {}}), minimumSize);
    }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static MemoryFile file;
    const QByteArrayView text = viewOf(data, size);
    file.write(text);
    checkKey(readKeyFile(file.path()), 1);
    const Result<QByteArrayView> content = withoutByteOrderMark(text);
    if (!content) {
        PskStore store;
        require(addPskFile(file.path(), 1, {}, store).errors.size() == 1 && store.isEmpty(),
                "UTF-16 is an error");
        return 0;
    }
    const QByteArrayList lines = linesOf(content.value());
    for (const QByteArray &line : lines)
        checkKeyText(line);
    checkFile(file.path(), lines, 1);
    checkFile(file.path(), lines, 16);
    return 0;
}
