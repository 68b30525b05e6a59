using System.Diagnostics.CodeAnalysis;

namespace Quilt.Formats.Grammars.Automata;

/// <summary>Makes expressions, each only once. Not for several threads at a time.</summary>
internal sealed class ExpressionTable
{
    /// <summary>The most that <see cref="Expression.Spread"/> counts to.</summary>
    public const int SpreadLimit = 300_000;

    private readonly Dictionary<long, Expression> sequences = [];
    private readonly Dictionary<(int Item, int Least, int Most), Expression> repeats = [];
    private readonly HashSet<Expression> others = new(new Structure());
    private readonly List<Expression> made = [];
    private int sealedCount = -1;
    private int nextId;

    public ExpressionTable()
    {
        Empty = Keep(new() { Id = nextId++, Kind = ExpressionKind.Empty, IsNullable = true, Spread = 1 });
        Never = Keep(new() { Id = nextId++, Kind = ExpressionKind.Never, Spread = 1 });
    }

    public Expression Empty { get; }

    public Expression Never { get; }

    /// <summary>All expressions at hand, those that others are made of first.</summary>
    public IReadOnlyList<Expression> Made => made;

    /// <summary>How many were made since the grammar was built.</summary>
    public int Derived => made.Count - sealedCount;

    /// <summary>The grammar is built: what is made from now on may be forgotten.</summary>
    public void Seal() => sealedCount = made.Count;

    /// <summary>Forgets what was made since the grammar was built. Whoever still holds such an expression can go on with it.</summary>
    public void Trim()
    {
        foreach (var old in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(made)[sealedCount..])
        {
            if (old.Kind == ExpressionKind.Sequence) sequences.Remove(Key(old.First, old.Second));
            else if (old.Kind == ExpressionKind.Repeat) repeats.Remove((old.First.Id, old.Least, old.Most));
            else others.Remove(old);
        }
        made.RemoveRange(sealedCount, made.Count - sealedCount);
    }

    public Expression Sequence(Expression head, Expression tail)
    {
        if (head.Kind == ExpressionKind.Empty || tail.Kind == ExpressionKind.Never) return tail;
        if (tail.Kind == ExpressionKind.Empty || head.Kind == ExpressionKind.Never) return head;
        if (head.Kind != ExpressionKind.Sequence) return Pair(head, tail);
        var spine = new List<Expression>();
        for (; head.Kind == ExpressionKind.Sequence; head = head.Second) spine.Add(head.First);
        tail = Pair(head, tail);
        for (var i = spine.Count - 1; i >= 0; i--) tail = Pair(spine[i], tail);
        return tail;
    }

    private Expression Pair(Expression head, Expression tail)
    {
        // Two repeats of the same are one.
        if (head.Kind == ExpressionKind.Repeat)
        {
            var next = tail.Kind == ExpressionKind.Sequence ? tail.First : tail;
            if (next.Kind == ExpressionKind.Repeat && next.First == head.First && (long)head.Least + next.Least < int.MaxValue
                && (long)head.Most + next.Most < int.MaxValue)
            {
                var most = head.Most < 0 || next.Most < 0 ? -1 : head.Most + next.Most;
                var merged = Repeat(head.First, head.Least + next.Least, most);
                return tail.Kind == ExpressionKind.Sequence ? Pair(merged, tail.Second) : merged;
            }
        }
        var key = Key(head, tail);
        if (sequences.TryGetValue(key, out var found)) return found;
        return sequences[key] = Keep(new()
        {
            Id = nextId++,
            Kind = ExpressionKind.Sequence,
            First = head,
            Second = tail,
            IsNullable = head.IsNullable && tail.IsNullable,
            Spread = Add(head.Spread, head.IsNullable ? tail.Spread : 1),
        });
    }

    /// <param name="item">What is repeated.</param>
    /// <param name="least">Least times.</param>
    /// <param name="most">Most times; -1 for no end.</param>
    public Expression Repeat(Expression item, int least, int most)
    {
        if (most == 0 || item.Kind == ExpressionKind.Empty) return Empty;
        if (item.Kind == ExpressionKind.Never) return least == 0 ? Empty : Never;
        if (item.IsNullable)
        {
            least = 0;
            if (item.Kind == ExpressionKind.Choice && item.Items.Contains(Empty)) item = Choice([.. item.Items.Where(one => one != Empty)]);
        }
        // A loop of loops without bounds is one loop.
        if (item is { Kind: ExpressionKind.Repeat, Most: -1, Least: 0 or 1 } && (least <= 1 || item.Least == 0))
            return Repeat(item.First, item.Least == 0 ? 0 : least, -1);
        if ((least, most) == (1, 1)) return item;
        if (repeats.TryGetValue((item.Id, least, most), out var found)) return found;
        return repeats[(item.Id, least, most)] = Keep(new()
        {
            Id = nextId++,
            Kind = ExpressionKind.Repeat,
            First = item,
            Least = least,
            Most = most,
            IsNullable = least == 0 || item.IsNullable,
            Spread = Add(item.Spread, 1),
        });
    }

    public Expression Choice(List<Expression> items)
    {
        items.RemoveAll(item => item.Kind == ExpressionKind.Never);
        Order(items);
        if (items.Count == 0) return Never;
        if (items.Count == 1) return items[0];
        var spread = 1;
        foreach (var item in items) spread = Add(spread, item.Spread);
        var nullable = items.Exists(item => item.IsNullable);
        return Intern(new() { Id = nextId, Kind = ExpressionKind.Choice, Items = [.. items], IsNullable = nullable, Spread = spread });
    }

    public Expression All(List<Expression> items)
    {
        if (items.Exists(item => item.Kind == ExpressionKind.Never)) return Never;
        Order(items);
        if (items.Count == 1) return items[0];
        var nullable = items.TrueForAll(item => item.IsNullable);
        return Intern(new() { Id = nextId, Kind = ExpressionKind.All, Items = [.. items], IsNullable = nullable, Spread = 1 });
    }

    public Expression Not(Expression item) => item.Kind == ExpressionKind.Not
        ? item.First
        : Intern(new() { Id = nextId, Kind = ExpressionKind.Not, First = item, IsNullable = !item.IsNullable, Spread = 1 });

    /// <param name="ranges">Ranges of bytes, ascending and disjoint, and what each leads to.</param>
    public Expression Bytes(List<(byte Low, byte High, Expression Target)> ranges)
    {
        ranges.RemoveAll(range => range.Target.Kind == ExpressionKind.Never);
        if (ranges.Count == 0) return Never;
        var merged = new List<(byte Low, byte High, Expression Target)>(ranges.Count);
        foreach (var range in ranges)
        {
            if (merged.Count > 0 && merged[^1].Target == range.Target && merged[^1].High + 1 == range.Low)
                merged[^1] = (merged[^1].Low, range.High, range.Target);
            else merged.Add(range);
        }
        return Intern(new()
        {
            Id = nextId,
            Kind = ExpressionKind.Bytes,
            Lows = [.. merged.Select(range => range.Low)],
            Highs = [.. merged.Select(range => range.High)],
            Items = [.. merged.Select(range => range.Target)],
            Spread = 1,
        });
    }

    public Expression Call(int rule, bool nullable) =>
        Intern(new() { Id = nextId, Kind = ExpressionKind.Call, Least = rule, IsNullable = nullable, Spread = 1 });

    public Expression Special(int number) => Intern(new() { Id = nextId, Kind = ExpressionKind.Special, Least = number, Spread = 1 });

    private static int Add(int one, int other) => Math.Min(SpreadLimit, one + other);

    private static long Key(Expression head, Expression tail) => (long)head.Id << 32 | (uint)tail.Id;

    private static void Order(List<Expression> items)
    {
        items.Sort((one, other) => one.Id.CompareTo(other.Id));
        var kept = 0;
        for (var i = 0; i < items.Count; i++)
            if (i == 0 || items[i] != items[kept - 1]) items[kept++] = items[i];
        items.RemoveRange(kept, items.Count - kept);
    }

    private Expression Intern(Expression candidate)
    {
        if (others.TryGetValue(candidate, out var found)) return found;
        nextId++;
        others.Add(candidate);
        return Keep(candidate);
    }

    private Expression Keep(Expression expression)
    {
        made.Add(expression);
        return expression;
    }

    private sealed class Structure : IEqualityComparer<Expression>
    {
        public bool Equals(Expression? x, Expression? y) => x!.Kind == y!.Kind && x.Least == y.Least && x.IsNullable == y.IsNullable
            && x.First == y.First && x.Lows.AsSpan().SequenceEqual(y.Lows) && x.Highs.AsSpan().SequenceEqual(y.Highs)
            && x.Items.AsSpan().SequenceEqual(y.Items);

        public int GetHashCode([DisallowNull] Expression obj)
        {
            var hash = new HashCode();
            hash.Add((int)obj.Kind | obj.Least << 4);
            if (obj.First is not null) hash.Add(obj.First.Id);
            hash.AddBytes(obj.Lows);
            hash.AddBytes(obj.Highs);
            foreach (var item in obj.Items) hash.Add(item.Id);
            return hash.ToHashCode();
        }
    }
}
