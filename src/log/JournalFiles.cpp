// SPDX-License-Identifier: Apache-2.0
#include "log/JournalFiles.h"

#include "core/Descriptor.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace dtlsd {

namespace {

/// A scan of the journal's directories.
class Search
{
public:
    void lookInto(const std::string &directory)
    {
        forEach(directory, [this, &directory](std::string_view name) {
            if (name.starts_with('.'))
                return;
            const std::string machine = directory + '/' + std::string(name);
            forEach(machine, [this, &machine](std::string_view file) {
                if (isWrittenTo(file))
                    tryFile(machine + '/' + std::string(file));
            });
        });
    }

    [[nodiscard]] const JournalFiles &found() const { return m_found; }

private:
    struct Close
    {
        void operator()(DIR *directory) const { closedir(directory); }
    };

    /// Archived files have an `@` in their names.
    static bool isWrittenTo(std::string_view file)
    {
        return file == "system.journal" || file == "user-" + std::to_string(getuid()) + ".journal";
    }

    template <class Visit>
    void forEach(const std::string &directory, Visit visit)
    {
        const std::unique_ptr<DIR, Close> opened(opendir(directory.c_str()));
        if (!opened)
            return note(directory, errno);
        while (const dirent *entry = readdir(opened.get()))
            visit(entry->d_name);
    }

    void tryFile(const std::string &path)
    {
        const Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (!descriptor.isOpen())
            return note(path, errno);
        ++m_found.readable;
    }

    void note(const std::string &path, int error)
    {
        if (error == ENOENT || error == ENOTDIR)
            return; // the other Storage= is in use, or the file was rotated just now
        // Another user's file need not be readable; any other error hides what is there.
        const bool isDenied = error == EACCES || error == EPERM;
        (isDenied ? m_found.denied : m_found.shortage) = path + ": " + std::strerror(error);
    }

    JournalFiles m_found;
};

} // namespace

JournalFiles JournalFiles::look()
{
    Search search;
    search.lookInto("/run/log/journal");
    search.lookInto("/var/log/journal");
    return search.found();
}

} // namespace dtlsd
