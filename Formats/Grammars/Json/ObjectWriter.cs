namespace Quilt.Formats.Grammars.Json;

/// <summary>
/// Objects as a grammar: known properties in their order, those that may be absent skipped, others last. Where several schemas name a few properties
/// none of them gives the order, and any is taken.
/// </summary>
internal sealed class ObjectWriter
{
    private const int MaxUnordered = 5;
    private const int MaxCounted = 20_000;
    private const int MaxPairs = 2_000_000;
    private const int MembersPerRule = 32;

    private readonly SchemaGrammar grammar;
    private readonly MemberForm form;
    private readonly ObjectLimits limits;
    private readonly string name;
    private readonly string pointer;
    private readonly List<(GrammarNode Node, bool IsRequired)> members = [];
    private readonly int least;
    private readonly int? most;
    private readonly bool isImpossible;
    private readonly GrammarNode other;

    public ObjectWriter(SchemaGrammar grammar, ObjectLimits limits, MemberForm form, string name, string pointer)
    {
        (this.grammar, this.form, this.limits, this.name, this.pointer) = (grammar, form, limits, name, pointer);
        var required = limits.Required.ToHashSet(StringComparer.Ordinal);
        var known = new OrderedDictionary<string, bool>(StringComparer.Ordinal);
        foreach (var part in limits.Parts)
        {
            foreach (var property in part.Properties.Keys) known.TryAdd(property, true);
        }
        foreach (var property in limits.Required) known.TryAdd(property, true);
        if ((long)limits.Parts.Length * known.Count > MaxPairs)
            throw new BadInputException(JsonSchemaReader.Origin, pointer, "expected fewer schemas that together name the properties of one object");
        var names = new PropertyNames(grammar, limits, known.Keys);
        foreach (var property in known.Keys)
        {
            var goal = limits.At(property);
            var member = names.Accepts(property) && grammar.Expand(goal).Count > 0 ? form.Known(property, goal) : GrammarNode.Never;
            if (Nodes.IsNever(member)) isImpossible |= required.Contains(property);
            else members.Add((member, required.Contains(property)));
        }
        other = Nodes.OneOf([.. names.Others(pointer).Select(kind => form.Other(kind.Names, kind.Goal))]);
        least = limits.Least <= required.Count ? 0 : limits.Least;
        most = Nodes.IsNever(other) && members.Count <= limits.Most ? null : limits.Most;
    }

    /// <summary>What stands behind the opening brace, the closing one with it.</summary>
    public GrammarNode WriteBody()
    {
        if (isImpossible) return GrammarNode.Never;
        if (members.Count == 0 && least <= 1)
        {
            var some = !Nodes.IsNever(other) ? Some(least, most) : least == 0 ? GrammarNode.Nothing : GrammarNode.Never;
            return Nodes.InOrder(some, form.Close);
        }
        if (least > 0 || most is not null) return Counted();
        return limits.IsMerged && members.Count <= MaxUnordered ? Unordered() : Ordered();
    }

    private GrammarNode Ordered()
    {
        // What may come where the properties before have been passed, from the last to the first.
        var next = Nodes.IsNever(other) ? GrammarNode.Never : Others(null);
        var mayEnd = true;
        for (var i = members.Count - 1; i >= 0; i--)
        {
            var (node, isRequired) = members[i];
            var present = Nodes.InOrder(node, Behind(mayEnd, next));
            next = isRequired ? present : Nodes.OneOf(present, next);
            mayEnd &= !isRequired;
            if (i > 0 && (!members[i - 1].IsRequired || i % MembersPerRule == 0)) next = Rule($"from {i}", next);
        }
        return mayEnd ? Nodes.OneOf(form.Close, next) : next;
    }

    // By which properties have been written.
    private GrammarNode Unordered()
    {
        var (all, required) = ((1 << members.Count) - 1, 0);
        for (var i = 0; i < members.Count; i++) required |= members[i].IsRequired ? 1 << i : 0;
        var nexts = new GrammarNode[all + 1];
        for (var written = all; written >= 0; written--)
        {
            var choices = new List<GrammarNode>();
            for (var i = 0; i < members.Count; i++)
            {
                var then = written | (1 << i);
                if (then != written) choices.Add(Nodes.InOrder(members[i].Node, Behind((required & ~then) == 0, nexts[then])));
            }
            if ((required & ~written) == 0 && !Nodes.IsNever(other)) choices.Add(Others(null));
            var next = Nodes.OneOf([.. choices]);
            nexts[written] = written == 0 || Nodes.IsNever(next) ? next : Rule($"behind {written}", next);
        }
        return required == 0 ? Nodes.OneOf(form.Close, nexts[0]) : nexts[0];
    }

    // By how many have been written. Other names may repeat, so that any number of them is sure to be one property only.
    private GrammarNode Counted()
    {
        var top = Math.Min(members.Count, Math.Max(least, most ?? 0)) + 1;
        if (members.Count == 0 || (long)top * members.Count > MaxCounted)
        {
            throw new BadInputException(JsonSchemaReader.Origin, pointer,
                "minProperties and maxProperties: expected counts that known properties can meet");
        }
        var nexts = new GrammarNode[top + 1];
        for (var count = 0; count <= top; count++) nexts[count] = count + 1 >= least ? Others(most - count) : GrammarNode.Never;
        var mayEnd = true;
        for (var i = members.Count - 1; i >= 0; i--)
        {
            var (node, isRequired) = members[i];
            for (var count = 0; count <= Math.Min(top, i); count++)
            {
                if (count >= most)
                {
                    nexts[count] = GrammarNode.Never;
                    continue;
                }
                var then = Math.Min(count + 1, top);
                var present = Nodes.InOrder(node, Behind(mayEnd && then >= least, nexts[then]));
                var next = isRequired ? present : Nodes.OneOf(present, nexts[count]);
                nexts[count] = i > 0 && !Nodes.IsNever(next) ? Rule($"from {i} with {count}", next) : next;
            }
            mayEnd &= !isRequired;
        }
        return mayEnd && least == 0 ? Nodes.OneOf(form.Close, nexts[0]) : nexts[0];
    }

    // Behind a property and its white space.
    private GrammarNode Behind(bool mayEnd, GrammarNode next)
    {
        var more = Nodes.InOrder(form.Comma, next);
        return mayEnd ? Nodes.OneOf(form.Close, more) : more;
    }

    private GrammarNode Others(int? most) =>
        Nodes.IsNever(other) || most <= 0 ? GrammarNode.Never : Nodes.InOrder(Some(1, most), form.Close);

    private GrammarNode Some(int from, int? to)
    {
        if (to < Math.Max(from, 1)) return from == 0 ? GrammarNode.Nothing : GrammarNode.Never;
        var some = Nodes.InOrder(other, Nodes.Times(Nodes.InOrder(form.Comma, other), Math.Max(0, from - 1), to - 1));
        return from == 0 ? Nodes.Optional(some) : some;
    }

    private RuleReference Rule(string suffix, GrammarNode node)
    {
        grammar.Rules[$"{name} {suffix}"] = node;
        return new($"{name} {suffix}");
    }
}
