namespace Quilt.Cli.Synth;

/// <summary>The sizes of a random checkpoint: MiniMax-M2.5's unless set otherwise.</summary>
/// <param name="Layers">Decoder layers; the real model has 62.</param>
/// <param name="Vocabulary">Rows of embedding and head; the real model has 200,064.</param>
internal sealed record SynthShape(int Layers, int Vocabulary)
{
    public int Hidden { get; init; } = 3072;

    public int Heads { get; init; } = 48;

    public int KeyValueHeads { get; init; } = 8;

    public int HeadDim { get; init; } = 128;

    public int RotaryDim { get; init; } = 64;

    public int Experts { get; init; } = 256;

    public int ExpertsPerToken { get; init; } = 8;

    public int ExpertHidden { get; init; } = 1536;

    public int Queries => Heads * HeadDim;

    public int Keys => KeyValueHeads * HeadDim;
}
