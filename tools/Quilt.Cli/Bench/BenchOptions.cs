namespace Quilt.Cli.Bench;

/// <summary>What to measure.</summary>
/// <param name="Prompts">Lengths of prompts to read, each alone.</param>
/// <param name="Batches">Numbers of sequences to decode together.</param>
/// <param name="Context">Tokens that each sequence looks back on when decoding begins.</param>
/// <param name="Steps">Decoding steps a repetition.</param>
/// <param name="Repetitions">How often everything is measured; the median counts.</param>
internal sealed record BenchOptions(int[] Prompts, int[] Batches, int Context, int Steps, int Repetitions);
