using System.Globalization;
using System.Text;
using ILGPU.Runtime.Cuda;
using Quilt.Kernels.Catalog;
using Quilt.Kernels.Devices;

namespace Quilt.Perf;

/// <summary>
/// What MiniMax-M2.5 (FP8 attention, INT4 experts) could reach on one H200, computed from the model's sizes and from the PTX of the kernels; nothing of it is measured.
/// <c>dotnet run -c Release --project Perf -- --roofline</c> prints what stands in Roofline.md.
/// </summary>
internal static class Roofline
{
    // The model.
    private const double Hidden = 3072, Queries = 48 * 128, Keys = 8 * 128, Experts = 256, PerToken = 8, ExpertHidden = 1536, Layers = 62, Vocabulary = 200_064;

    // The machine: bytes a second, warp instructions a second, operations a second of its matrix units in bfloat16.
    private const double Bandwidth = 4.8e12, Issue = 132 * 4 * 1.98e9, MatrixRate = 132 * 1.83e9 * 4096;

    /// <summary>The whole page.</summary>
    public static string Page()
    {
        var page = new StringBuilder();
        page.Append("# Roofline\n*Computed*, not measured: from the sizes of MiniMax-M2.5 and from the PTX of our kernels (`dotnet run -c Release --project Perf -- --roofline`).\n");
        page.Append("One H200: 4.8 TB/s, 132 x 4 x 1.98 G warp instructions a second, 989 TFLOP/s in bfloat16. Time between launches is not counted, nor are the\nsmall kernels and attention over the cache. What an assembler moves out of a loop is counted as if it stayed.\n\n");
        Decode(page, 1);
        Decode(page, 64);
        Decode(page, 256);
        Prefill(page);
        Facts(page);
        return page.ToString();
    }

    private static void Decode(StringBuilder page, int batch)
    {
        var touched = Experts * (1 - Math.Pow(1 - (PerToken / Experts), batch));
        Part[] parts =
        [
            new("attention, FP8", "Fp8Gpu,Float32Scales", Layers * ((Queries + (2 * Keys) + Queries) * Hidden) * (1 + (4.0 / 128))),
            new("experts' gate and up, INT4", "Int4Gpu,BFloat16Scales", Layers * touched * 2 * ExpertHidden * Hidden * (0.5 + (2.0 / 32))),
            new("experts' down, INT4", "Int4Gpu,BFloat16Scales", Layers * touched * ExpertHidden * Hidden * (0.5 + (2.0 / 32))),
            new("head, bfloat16", "BFloat16Gpu,NoScales", Vocabulary * Hidden * 2),
        ];
        page.Append(CultureInfo.InvariantCulture, $"## A step of {batch} {(batch == 1 ? "sequence" : "sequences")}\n");
        page.Append("| part | MB a step | instructions a lane for 16 bytes | million warp instructions | share of 4.8 TB/s that they allow |\n| --- | --- | --- | --- | --- |\n");
        var seconds = 0.0;
        foreach (var part in parts)
        {
            // An expert meets few rows even in a batch.
            var rows = part.Name.StartsWith("experts", StringComparison.Ordinal) ? Math.Max(1, batch * PerToken / touched) : batch;
            var each = rows <= 16 ? Find($"TensorDecode.DecodeKernel<{part.Kernel},{(rows <= 4 ? "Four" : rows <= 8 ? "Eight" : "Sixteen")}>").PerLoad
                : Math.Ceiling(rows / 64) * Find($"TensorPrefill.PrefillKernel<{part.Kernel}>").PerLoad;
            // A load of a warp is 512 bytes of codes; scales come on top.
            var instructions = each * part.Bytes / part.BytesOfLoad;
            var share = Math.Min(1, part.Bytes / Bandwidth / (instructions / Issue));
            seconds += part.Bytes / Bandwidth / share;
            page.Append(CultureInfo.InvariantCulture, $"| {part.Name} | {part.Bytes / 1e6:0} | {each:0} | {instructions / 1e6:0.0} | {share:0%} |\n");
        }
        page.Append(CultureInfo.InvariantCulture, $"\nAt most {batch / seconds:0} tok/s.\n\n");
    }

    private static void Prefill(StringBuilder page)
    {
        page.Append("## A prompt\n| part | GFLOP a token | instructions a matrix instruction | share of the bfloat16 rate that they allow |\n| --- | --- | --- | --- |\n");
        Part[] parts =
        [
            new("attention, FP8", "Fp8Gpu,Float32Scales", 2e-9 * Layers * 2 * (Queries + Keys) * Hidden),
            new("experts, INT4", "Int4Gpu,BFloat16Scales", 2e-9 * Layers * PerToken * 3 * ExpertHidden * Hidden),
        ];
        var seconds = 0.0;
        foreach (var part in parts)
        {
            var facts = Find($"TensorPrefill.PrefillKernel<{part.Kernel}>");
            var each = (double)facts.Loop / facts.MatrixInstructions;
            // A matrix instruction is 4096 operations, at best one a cycle and multiprocessor.
            var share = Math.Min(1, 4096 * Issue / each / MatrixRate);
            seconds += part.Bytes * 1e9 / MatrixRate / share;
            page.Append(CultureInfo.InvariantCulture, $"| {part.Name} | {part.Bytes:0.0} | {each:0.0} | {share:0%} |\n");
        }
        page.Append(CultureInfo.InvariantCulture, $"\nAt most {1 / seconds:0} tok/s with bfloat16 input, half of it with float input (two products each); attention's own products are not in it.\n\n");
    }

    private static void Facts(StringBuilder page)
    {
        page.Append("## Kernels that stream weights\nRegisters as PTX names them, an upper bound. The same for ");
        page.AppendJoin(", ", GpuKernels.Architectures.Select(PtxFix.Target)).Append(" unless a row says otherwise.\n\n");
        page.Append("| kernel | 32-bit | 64-bit | shared bytes | loop | 16-byte loads | matrix instructions |\n| --- | --- | --- | --- | --- | --- | --- |\n");
        foreach (var kernel in GpuKernels.All.Where(kernel => kernel.Needs.HasFlag(KernelNeeds.Hot)))
        {
            var byTarget = GpuKernels.Architectures.GroupBy(architecture => PtxFacts.Of(GpuKernels.Ptx(kernel, architecture))).ToArray();
            foreach (var group in byTarget)
            {
                var only = byTarget.Length == 1 ? "" : $" ({string.Join(", ", group.Select(PtxFix.Target))})";
                var facts = group.Key;
                page.Append(CultureInfo.InvariantCulture, $"| {kernel.Name}{only} | {facts.Registers32} | {facts.Registers64} | {facts.SharedBytes} | {facts.Loop} | {facts.Loads} | {facts.MatrixInstructions} |\n");
            }
        }
    }

    private static PtxFacts Find(string name) => PtxFacts.Of(GpuKernels.Ptx(GpuKernels.All.Single(kernel => kernel.Name == name), CudaArchitecture.SM_90));

    private sealed record Part(string Name, string Kernel, double Bytes)
    {
        /// <summary>Bytes that come with sixteen bytes of codes a lane, scales included.</summary>
        public double BytesOfLoad => Kernel.StartsWith("Int4", StringComparison.Ordinal) ? 512 * 0.5625 / 0.5 : Kernel.StartsWith("Fp8", StringComparison.Ordinal) ? 512 * (1 + (4.0 / 128)) : 512;
    }
}
