namespace Quilt.Formats.Tokenizers.Processing;

/// <summary>A part of a model's input: the ids of a text, or fixed ones.</summary>
/// <param name="Text">Which text: 0 or 1; <see cref="Fixed"/> for fixed ids.</param>
/// <param name="Ids">The fixed ids.</param>
/// <param name="TypeId">Which of two texts a model that is told so takes it for.</param>
internal sealed record PlanPart(int Text, int[] Ids, int TypeId)
{
    public const int Fixed = -1;
}

/// <summary>What a model's input consists of.</summary>
/// <param name="Parts">In order.</param>
internal sealed record SequencePlan(IReadOnlyList<PlanPart> Parts)
{
    /// <summary>How many fixed ids there are.</summary>
    public int Added { get; } = Parts.Sum(part => part.Ids.Length);
}

/// <summary>The plans of a file: for one text and for two, with special tokens and without.</summary>
internal sealed class SequencePlans(Func<bool, bool, SequencePlan> plan)
{
    private readonly SequencePlan[] plans = [plan(false, false), plan(false, true), plan(true, false), plan(true, true)];

    public SequencePlan this[bool pair, bool special] => plans[(pair ? 2 : 0) + (special ? 1 : 0)];
}
