using Quilt.Runtime.Sampling;

namespace Quilt.Cli.Bench;

/// <summary>What to measure.</summary>
/// <param name="Prompts">Lengths of prompts to read, each alone.</param>
/// <param name="Cached">Lengths of prompts to read that are cached.</param>
/// <param name="Batches">Numbers of sequences to decode together.</param>
/// <param name="Context">Tokens that each sequence looks back on when decoding begins.</param>
/// <param name="Steps">Decoding steps a repetition.</param>
/// <param name="Repetitions">How often everything is measured; the median counts.</param>
/// <param name="Profile">Whether each case is run once more to see where the time of its steps goes.</param>
/// <param name="Sampling">How tokens are chosen, given what the model asks for.</param>
internal sealed record BenchOptions(int[] Prompts, int[] Cached, int[] Batches, int Context, int Steps, int Repetitions, bool Profile,
    Func<SamplingOptions, SamplingOptions> Sampling);
