// SPDX-License-Identifier: Apache-2.0
//
// FairQueue: values that wait, each of a key. Keys take turns, one value each, so that a key with
// few values does not wait for all values of another.
//
// The room is limited in entries and in bytes. Its first half is open to every key; the second half
// is divided equally among the keys that have values in the queue, so that a key that fills the
// queue cannot keep the others out.
#pragma once

#include <cstddef>
#include <iterator>
#include <list>
#include <unordered_map>

namespace dtlsd {

/// Value::cost() is its size in bytes.
template <class Key, class Value>
class FairQueue
{
public:
    struct Room
    {
        std::size_t entries = 0;
        std::size_t bytes = 0;
    };

    /// The values of one key in the order in which they came; at least one.
    struct Source
    {
        Key key;
        std::list<Value> values{};
        Room used{};
    };

    explicit FairQueue(const Room &capacity)
        : m_capacity(capacity)
    {
    }
    FairQueue(const FairQueue &) = delete;
    FairQueue &operator=(const FairQueue &) = delete;

    [[nodiscard]] bool isEmpty() const { return m_sources.empty(); }
    [[nodiscard]] std::size_t size() const { return m_used.entries; }

    /// Whether one more entry of @p bytes stays within 1 / @p parts of the room.
    [[nodiscard]] bool hasRoom(std::size_t bytes, std::size_t parts = 1) const
    {
        return isWithin(parts, m_used, bytes);
    }
    /// Whether one more entry of @p bytes stays within what @p key may use.
    [[nodiscard]] bool takes(const Key &key, std::size_t bytes) const
    {
        if (!hasRoom(bytes) || hasRoom(bytes, 2))
            return hasRoom(bytes);
        const auto found = m_byKey.find(key);
        if (found == m_byKey.end())
            return isWithin(2 * (m_sources.size() + 1), {}, bytes);
        return isWithin(2 * m_sources.size(), found->second->used, bytes);
    }

    /// Moves the one element of @p value here, whether there is room or not, and allocates nothing
    /// for it. The reference is valid while it waits.
    Value &add(const Key &key, std::list<Value> &value)
    {
        const auto [found, isNew] = m_byKey.try_emplace(key);
        if (isNew)
            found->second = m_sources.insert(m_sources.end(), Source{key});
        Source &source = *found->second;
        source.values.splice(source.values.end(), value);
        account(source, {}, {1, source.values.back().cost()});
        return source.values.back();
    }
    /// The cost of a value of @p key that waits has changed.
    void costHasChanged(const Key &key, std::size_t before, std::size_t now)
    {
        account(*m_byKey.at(key), {0, before}, {0, now});
    }

    /// The value whose turn is next; there must be one.
    [[nodiscard]] const Value &front() const { return m_sources.front().values.front(); }
    /// Moves it into a list of its own, which allocates nothing.
    [[nodiscard]] std::list<Value> take()
    {
        const auto source = m_sources.begin();
        std::list<Value> taken;
        taken.splice(taken.end(), source->values, source->values.begin());
        account(*source, {1, taken.front().cost()}, {});
        m_sources.splice(m_sources.end(), m_sources, source);
        forgetIfEmpty(source);
        return taken;
    }

    /// Gives the next turn to the source that @p choose returns. It is called with the range of the
    /// next @p most sources, the rest of which then have their turns behind all others.
    template <class Choose>
    void prefer(int most, Choose choose)
    {
        if (m_sources.size() < 2)
            return;
        const auto end = std::ranges::next(m_sources.begin(), most, m_sources.end());
        const auto chosen = choose(m_sources.begin(), end);
        m_sources.splice(m_sources.end(), m_sources, m_sources.begin(), end);
        m_sources.splice(m_sources.begin(), m_sources, chosen);
    }

    template <class Predicate>
    void removeIf(Predicate isToGo)
    {
        for (auto next = m_sources.begin(); next != m_sources.end();) {
            const auto source = next++;
            source->values.remove_if([&](const Value &value) {
                const bool goes = isToGo(value);
                if (goes)
                    account(*source, {1, value.cost()}, {});
                return goes;
            });
            forgetIfEmpty(source);
        }
    }

private:
    using Sources = std::list<Source>;

    [[nodiscard]] bool isWithin(std::size_t parts, const Room &used, std::size_t bytes) const
    {
        return (used.entries + 1) * parts <= m_capacity.entries &&
               (used.bytes + bytes) * parts <= m_capacity.bytes;
    }

    void account(Source &source, const Room &freed, const Room &taken)
    {
        for (Room *used : {&source.used, &m_used}) {
            used->entries += taken.entries - freed.entries;
            used->bytes += taken.bytes - freed.bytes;
        }
    }

    void forgetIfEmpty(typename Sources::iterator source)
    {
        if (!source->values.empty())
            return;
        m_byKey.erase(source->key);
        m_sources.erase(source);
    }

    const Room m_capacity;
    Room m_used;
    Sources m_sources; // in the order of their turns
    std::unordered_map<Key, typename Sources::iterator> m_byKey;
};

} // namespace dtlsd
