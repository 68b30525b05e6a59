using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>
/// A regular expression over the code points of UTF-8 text, with Oniguruma's meaning. .NET's own sees UTF-16 units, so that its
/// <c>\p{L}</c> misses every letter above U+FFFF, and lacks possessive repeats and class intersections.
/// Most patterns are matched by a <see cref="TransitionTable"/>; the others, and those whose table grows too large, way by way
/// (the program below), which is also what tests hold the table to. Immutable to its users; the state of a match lives in <see cref="MatchScratch"/>.
/// </summary>
internal sealed class Pattern
{
    private readonly Instruction[] program;
    private readonly TransitionTable? table;
    private readonly CodePointSet first;
    private readonly bool nullable;

    /// <exception cref="FormatException">The pattern is malformed or holds something this engine does not have.</exception>
    public Pattern(string text)
        : this(PatternParser.Parse(text))
    {
    }

    /// <param name="node">The pattern.</param>
    /// <param name="tabled">Whether a table may be used.</param>
    /// <exception cref="FormatException">The pattern becomes too large.</exception>
    public Pattern(PatternNode node, bool tabled = true)
    {
        (first, nullable) = node.First;
        program = PatternCompiler.Compile(node);
        table = tabled ? TransitionTable.From(node) : null;
    }

    /// <summary>Whether the pattern has a table.</summary>
    public bool IsTabled => table is not null;

    /// <summary>Adds every match to <paramref name="matches"/>, from left to right, none overlapping.</summary>
    public void FindAll(ReadOnlySpan<byte> text, MatchScratch scratch, List<(int Start, int End)> matches)
    {
        int at = 0, lastEnd = -1;
        scratch.Allow(text.Length);
        while (at <= text.Length)
        {
            if (!nullable) at = Candidate(text, at);
            if (at >= text.Length && !nullable) return;
            var end = table?.Match(text, at, scratch) ?? TransitionTable.TooLarge;
            if (end == TransitionTable.TooLarge) end = Run(text, 0, at, scratch);
            if (end < 0 || end == at && at == lastEnd)
            {
                if (at == text.Length) return;
                CodePoints.Read(text, at, out var length);
                at += length;
                continue;
            }
            matches.Add((at, end));
            at = lastEnd = end;
        }
    }

    private int Candidate(ReadOnlySpan<byte> text, int at)
    {
        var ascii = first.Ascii;
        while (at < text.Length)
        {
            int b = text[at];
            if (b < 0x80)
            {
                if (ascii[b]) break;
                at++;
                continue;
            }
            if (first.Contains(CodePoints.Read(text, at, out var length))) break;
            at += length;
        }
        return at;
    }

    // The end of a match of the instructions from pc at a place, or -1.
    private int Run(ReadOnlySpan<byte> text, int pc, int at, MatchScratch scratch)
    {
        var bottom = scratch.Depth;
        while (true)
        {
            ref readonly var step = ref program[pc];
            var ok = false;
            scratch.Step(1);
            switch (step.Operation)
            {
                case Operation.Accept:
                    scratch.Drop(bottom);
                    return at;
                case Operation.Set:
                    if (at < text.Length && In(step, text, at, out var one)) { at += one; pc++; ok = true; }
                    break;
                case Operation.Loop:
                    ok = Loop(step, text, ref at, scratch, pc + 1);
                    pc++;
                    break;
                case Operation.PossessiveLoop:
                    ok = Loop(step, text, ref at, scratch, -1);
                    pc++;
                    break;
                case Operation.Jump:
                    pc = step.A;
                    ok = true;
                    break;
                case Operation.Split:
                    scratch.Push(step.B, at, at, 0);
                    pc = step.A;
                    ok = true;
                    break;
                case Operation.SkipUnless:
                    pc = at < text.Length && In(step, text, at, out _) ? pc + 1 : step.A;
                    ok = true;
                    break;
                case Operation.Choose:
                    var table = step.Dispatch!;
                    var mask = at == text.Length ? table.ForEnd : text[at] < 0x80 ? table.ForAscii[text[at]] : table.ForOther;
                    ok = Choose(table, mask, ref pc, at, scratch);
                    break;
                case Operation.Look:
                case Operation.LookNot:
                    ok = Look(text, pc, at, step.B, scratch) == (step.Operation == Operation.Look);
                    pc = step.A;
                    break;
                case Operation.Atomic:
                    var end = Run(text, pc + 1, at, scratch);
                    ok = end >= 0;
                    (at, pc) = (end, step.A);
                    break;
                case Operation.Anchor:
                    ok = Anchors.Holds((Anchor)step.A, text, at);
                    pc++;
                    break;
            }
            if (ok) continue;
            if (!Back(text, bottom, scratch, out pc, out at)) return -1;
        }
    }

    private static bool In(in Instruction step, ReadOnlySpan<byte> text, int at, out int length)
    {
        int b = text[at];
        if (b < 0x80) { length = 1; return step.Ascii![b]; }
        return step.Set!.Contains(CodePoints.Read(text, at, out length));
    }

    private static bool Loop(in Instruction step, ReadOnlySpan<byte> text, ref int at, MatchScratch scratch, int resume)
    {
        int count = 0, now = at, least = step.A == 0 ? at : -1;
        while (count < step.B && now < text.Length && In(step, text, now, out var length))
        {
            now += length;
            if (++count == step.A) least = now;
        }
        scratch.Step(count);
        if (count < step.A) return false;
        at = now;
        if (resume >= 0 && now > least) scratch.Push(resume, now, least, 0);
        return true;
    }

    private static bool Choose(Dispatch table, ulong mask, ref int pc, int at, MatchScratch scratch)
    {
        if (mask == 0) return false;
        var rest = mask & mask - 1;
        if (rest != 0) scratch.Push(pc, at, at, rest);
        pc = table.Targets[System.Numerics.BitOperations.TrailingZeroCount(mask)];
        return true;
    }

    private bool Look(ReadOnlySpan<byte> text, int pc, int at, int behind, MatchScratch scratch)
    {
        var from = at;
        for (var i = 0; i < behind; i++)
        {
            if (from == 0) return false;
            from = CodePoints.Before(text, from);
        }
        return Run(text, pc + 1, from, scratch) >= 0;
    }

    // Takes the last way not tried yet: another alternative, one character less of a loop, or the other side of a split.
    private bool Back(ReadOnlySpan<byte> text, int bottom, MatchScratch scratch, out int pc, out int at)
    {
        (pc, at) = (0, 0);
        if (scratch.Depth == bottom) return false;
        var (target, place, least, mask) = scratch.Pop();
        at = place;
        pc = target;
        if (mask != 0) return Choose(program[target].Dispatch!, mask, ref pc, at, scratch);
        if (place > least)
        {
            at = CodePoints.Before(text, place);
            if (at > least) scratch.Push(target, at, least, 0);
        }
        return true;
    }
}
