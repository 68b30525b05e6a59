namespace Quilt.Runtime.Models;

/// <summary>A linear module of a checkpoint.</summary>
/// <param name="Name">Official path, without suffix.</param>
/// <param name="Rows">Outputs.</param>
/// <param name="Columns">Inputs.</param>
/// <param name="HasBias">Whether a bias of one value an output is added.</param>
internal readonly record struct ModuleShape(string Name, int Rows, int Columns, bool HasBias = false)
{
    /// <summary>Of what it is a part, and where that begins; null: it is the whole module.</summary>
    public ModuleCut? Cut { get; init; }

    /// <summary>The bias, if there is one.</summary>
    public VectorShape Bias => new($"{Name}.bias", Rows) { Whole = Cut?.Rows, First = Cut?.FirstRow ?? 0 };

    /// <summary>Some of its rows, with their part of the bias.</summary>
    public ModuleShape TakeRows(Part part) =>
        part.Count == Rows ? this : this with { Rows = part.Count, Cut = new(Rows, Columns, part.First, 0) };

    /// <summary>Some of its columns: a product with them is a part of a sum, to which one device adds the bias.</summary>
    public ModuleShape TakeColumns(Part part) =>
        part.Count == Columns ? this
            : this with { Columns = part.Count, HasBias = HasBias && part.First == 0, Cut = new(Rows, Columns, 0, part.First) };
}

/// <summary>Where a part of a module lies in the whole.</summary>
/// <param name="Rows">Rows of the whole.</param>
/// <param name="Columns">Columns of the whole.</param>
/// <param name="FirstRow">The part's first row.</param>
/// <param name="FirstColumn">The part's first column.</param>
internal sealed record ModuleCut(int Rows, int Columns, int FirstRow, int FirstColumn);

/// <summary>A tensor of one dimension: a norm's gains or a bias.</summary>
/// <param name="Name">Official name.</param>
/// <param name="Length">Values.</param>
internal readonly record struct VectorShape(string Name, int Length)
{
    /// <summary>Values of the tensor of which this is a part; null: it is the whole.</summary>
    public int? Whole { get; init; }

    /// <summary>The part's first value.</summary>
    public int First { get; init; }

    /// <summary>Some of its values.</summary>
    public VectorShape Take(Part part) => part.Count == Length ? this : this with { Length = part.Count, Whole = Length, First = part.First };
}

/// <summary>What a decoder's checkpoint must hold: the name and shape of everything, from the spec alone.</summary>
/// <param name="spec">What the decoder is, all of it.</param>
/// <param name="share">The part of everything that one of several devices holds; null: all.</param>
internal sealed class DecoderModules(DecoderSpec spec, DeviceShare? share = null)
{
    private readonly DeviceShare share = share ?? DeviceShare.All;

    public ModuleShape Embedding => new ModuleShape("model.embed_tokens", spec.VocabularySize, spec.Hidden).TakeRows(Vocabulary);

    public VectorShape FinalNorm => new("model.norm.weight", spec.Hidden);

    public ModuleShape Head => new ModuleShape("lm_head", spec.VocabularySize, spec.Hidden).TakeRows(Vocabulary);

    /// <summary>The modules of one layer.</summary>
    public LayerModules Layer(int layer) => new(spec, layer, share);

    /// <summary>The modules of all layers.</summary>
    public IEnumerable<LayerModules> Layers => Enumerable.Range(0, spec.Layers).Select(Layer);

    private Part Vocabulary => share.Vocabulary(spec.VocabularySize);
}
