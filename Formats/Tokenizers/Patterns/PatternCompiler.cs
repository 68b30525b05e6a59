using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>Turns a parsed pattern into instructions, making loops possessive where giving characters back could not help.</summary>
internal sealed class PatternCompiler
{
    private const int SizeLimit = 20_000;
    private readonly List<Instruction> program = [];

    public static Instruction[] Compile(PatternNode node)
    {
        var compiler = new PatternCompiler();
        compiler.Emit(node, atEnd: true);
        compiler.Add(new(Operation.Accept));
        return [.. compiler.program];
    }

    private int Add(Instruction instruction)
    {
        if (program.Count >= SizeLimit) throw new FormatException($"it needs more than {SizeLimit} instructions");
        program.Add(instruction);
        return program.Count - 1;
    }

    // atEnd: nothing but Accept follows, so that nothing can fail after the node and no way back is ever needed.
    private void Emit(PatternNode node, bool atEnd)
    {
        switch (node)
        {
            case SetNode set: Add(new(Operation.Set, Set: set.Set)); break;
            case SequenceNode sequence: EmitSequence(sequence, atEnd); break;
            case AlternationNode choice: EmitChoice(choice.Choices, atEnd); break;
            case RepeatNode repeat: EmitRepeat(repeat, possessive: atEnd, atEnd); break;
            case AtomicNode atomic: EmitInner(Operation.Atomic, atomic.Body, 0); break;
            case LookNode look: EmitInner(look.Negative ? Operation.LookNot : Operation.Look, look.Body, look.Behind); break;
            case AnchorNode anchor: Add(new(Operation.Anchor, (int)anchor.Kind)); break;
        }
    }

    private void EmitSequence(SequenceNode sequence, bool atEnd)
    {
        for (var i = 0; i < sequence.Items.Count; i++)
        {
            var last = atEnd && i == sequence.Items.Count - 1;
            if (sequence.Items[i] is RepeatNode { Body: SetNode body } repeat)
            {
                var (next, nullable) = sequence.FirstOf(i + 1);
                var possessive = atEnd && sequence.NeverFailsFrom(i + 1) || !nullable && !next.Overlaps(body.Set);
                EmitRepeat(repeat, possessive, last);
            }
            else Emit(sequence.Items[i], last);
        }
    }

    private void EmitChoice(IEnumerable<PatternNode> all, bool atEnd)
    {
        var choices = all.ToList();
        if (choices.Count > Dispatch.Limit)
        {
            var rest = new AlternationNode(choices[(Dispatch.Limit - 1)..]);
            choices = [.. choices[..(Dispatch.Limit - 1)], rest];
        }
        var ascii = new ulong[128];
        ulong other = 0, end = 0;
        for (var i = 0; i < choices.Count; i++)
        {
            var bit = 1UL << i;
            var (set, nullable) = choices[i].First;
            for (var c = 0; c < ascii.Length; c++) if (nullable || set.Contains(c)) ascii[c] |= bit;
            if (nullable || !set.IsEmpty && set.Ranges[^1].Last >= ascii.Length) other |= bit;
            if (nullable) end |= bit;
        }
        var targets = new int[choices.Count];
        Add(new(Operation.Choose, Dispatch: new Dispatch(targets, ascii, other, end)));
        var exits = new List<int>();
        for (var i = 0; i < choices.Count; i++)
        {
            targets[i] = program.Count;
            Emit(choices[i], atEnd);
            if (i + 1 < choices.Count) exits.Add(Add(new(atEnd ? Operation.Accept : Operation.Jump)));
        }
        if (!atEnd) foreach (var exit in exits) program[exit] = new(Operation.Jump, program.Count);
    }

    private void EmitRepeat(RepeatNode repeat, bool possessive, bool atEnd)
    {
        if (repeat.Greed == Greed.Possessive && repeat.Body is not SetNode)
        {
            EmitInner(Operation.Atomic, repeat with { Greed = Greed.Greedy }, 0);
            return;
        }
        if (repeat.Body is SetNode set && repeat.Greed != Greed.Lazy)
        {
            var kind = possessive || repeat.Greed == Greed.Possessive ? Operation.PossessiveLoop : Operation.Loop;
            Add(new(kind, repeat.Min, repeat.Max, set.Set));
            return;
        }
        for (var i = 0; i < repeat.Min; i++) Emit(repeat.Body, false);
        if (repeat.Max == RepeatNode.Unbounded)
        {
            var top = Branch(repeat);
            Emit(repeat.Body, false);
            Add(new(Operation.Jump, top));
            Patch(top, repeat.Greed);
            return;
        }
        var branches = new List<int>();
        for (var i = repeat.Min; i < repeat.Max; i++)
        {
            if (repeat.Greed == Greed.Greedy && repeat.Body.First is { Nullable: false, Set: var first })
                branches.Add(Add(new(Operation.SkipUnless, Set: first)));
            branches.Add(Branch(repeat));
            Emit(repeat.Body, atEnd && i == repeat.Max - 1 && repeat.Greed == Greed.Greedy);
        }
        foreach (var branch in branches) Patch(branch, repeat.Greed);
    }

    // A split whose way past the loop is not known yet: Patch fills it in.
    private int Branch(RepeatNode repeat) =>
        Add(repeat.Greed == Greed.Lazy ? new(Operation.Split, 0, program.Count + 1) : new(Operation.Split, program.Count + 1));

    private void Patch(int branch, Greed greed)
    {
        var old = program[branch];
        program[branch] = old.Operation == Operation.SkipUnless ? new(Operation.SkipUnless, program.Count, Set: old.Set)
            : greed == Greed.Lazy ? old with { A = program.Count } : old with { B = program.Count };
    }

    private void EmitInner(Operation operation, PatternNode body, int behind)
    {
        var at = Add(new(operation));
        Emit(body, atEnd: true);
        Add(new(Operation.Accept));
        program[at] = new(operation, program.Count, behind);
    }
}
