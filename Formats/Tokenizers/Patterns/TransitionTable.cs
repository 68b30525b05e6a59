using System.Runtime.InteropServices;
using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>
/// Runs a <see cref="ThreadProgram"/> one table look-up a code point. A state stands for threads in their order of preference; what follows a
/// state on a class of code points is worked out when it is first met, and kept. Safe to use from several threads.
/// </summary>
internal sealed class TransitionTable
{
    /// <summary>The answer of <see cref="Match"/> where the table grew too large: the pattern has to be matched in another way.</summary>
    public const int TooLarge = -2;

    private const int Dead = 0;
    private const int Unknown = -1;
    private const int StateLimit = 4000;
    private readonly ThreadProgram program;
    private readonly CodePointClasses classes;
    private readonly int[] setOf;                    // by program state, the number of its set
    private readonly int end;                        // the class of the end of the text
    private readonly int stride;
    private readonly List<int[]> threads = [[]];
    private readonly Dictionary<string, int> stateOf = new() { [""] = Dead };
    private readonly int start;
    private int[] table;                             // [state, class]: the next state * 2, plus 1 where a match ends before the code point

    private TransitionTable(ThreadProgram program, CodePointClasses classes, int[] setOf)
    {
        (this.program, this.classes, this.setOf) = (program, classes, setOf);
        end = classes.Members.Length;
        stride = end + 1;
        table = new int[stride * 16];
        table.AsSpan(stride).Fill(Unknown);
        start = State([program.Start]);
    }

    /// <summary>The table of a pattern, or null where it cannot have one.</summary>
    public static TransitionTable? From(PatternNode node)
    {
        if (ThreadProgram.From(node) is not { } program) return null;
        var sets = new List<CodePointSet>();
        var setOf = new int[program.States.Count];
        for (var i = 0; i < setOf.Length; i++)
        {
            if (program.States[i].Set is not { } set) continue;
            setOf[i] = sets.FindIndex(other => other.Ranges.SequenceEqual(set.Ranges));
            if (setOf[i] >= 0) continue;
            setOf[i] = sets.Count;
            sets.Add(set);
        }
        return CodePointClasses.Of(sets) is { } classes ? new TransitionTable(program, classes, setOf) : null;
    }

    /// <summary>The end of the match at a place, -1 where there is none, or <see cref="TooLarge"/>.</summary>
    public int Match(ReadOnlySpan<byte> text, int at, MatchScratch scratch)
    {
        var ascii = classes.Ascii;
        var known = table;
        int state = start, matched = -1, from = at;
        while (true)
        {
            int kind, length;
            if (at == text.Length) (kind, length) = (end, 0);
            else if (text[at] < 0x80) (kind, length) = (ascii[text[at]], 1);
            else kind = classes[CodePoints.Read(text, at, out length)];
            var place = state * stride + kind;
            var next = place < known.Length ? known[place] : Unknown;
            if (next == Unknown)
            {
                next = Learn(state, kind);
                if (next < 0) return TooLarge;
                known = table;
            }
            if ((next & 1) != 0) matched = at;
            state = next >> 1;
            if (state == Dead) break;
            at += length;
        }
        scratch.Step(at - from + 1);
        return matched;
    }

    private int Learn(int state, int kind)
    {
        lock (threads)
        {
            var accepts = false;
            var next = new List<int>();
            var seen = new HashSet<int>();
            foreach (var thread in threads[state])
            {
                Follow(thread, kind, seen, next, ref accepts);
                if (accepts) break;
            }
            if (State(CollectionsMarshal.AsSpan(next).ToArray()) is not (>= 0 and var target)) return TooLarge;
            return Volatile.Read(ref table)[state * stride + kind] = target * 2 + (accepts ? 1 : 0);
        }
    }

    // Where a thread goes on a class of code points. Once one accepts, those that are less preferred do not count.
    private void Follow(int at, int kind, HashSet<int> seen, List<int> next, ref bool accepts)
    {
        if (accepts || !seen.Add(at)) return;
        var (what, _, targets) = program.States[at];
        var holds = kind != end && (classes.Members[kind] >> setOf[at] & 1) != 0;
        switch (what)
        {
            case ThreadKind.Accept: accepts = true; break;
            case ThreadKind.Take when holds && !next.Contains(targets[0]): next.Add(targets[0]); break;
            case ThreadKind.If when holds:
            case ThreadKind.Unless when !holds: Follow(targets[0], kind, seen, next, ref accepts); break;
            case ThreadKind.Fork:
                foreach (var target in targets) Follow(target, kind, seen, next, ref accepts);
                break;
        }
    }

    // The number of a state, made where it is new; -1 where there are too many.
    private int State(int[] its)
    {
        var key = string.Concat(its.Select(thread => (char)thread));
        if (stateOf.TryGetValue(key, out var state)) return state;
        state = threads.Count;
        if (state == StateLimit) return -1;
        if ((state + 1) * stride > table.Length)
        {
            var larger = new int[table.Length * 2];
            table.CopyTo(larger, 0);
            larger.AsSpan(table.Length).Fill(Unknown);
            Volatile.Write(ref table, larger);
        }
        threads.Add(its);
        return stateOf[key] = state;
    }
}
