using System.Globalization;
using System.Text;
using ILGPU.Runtime.Cuda;
using Quilt.Kernels.Catalog;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Perf;

/// <summary>
/// What MiniMax-M2.5 (FP8 attention, INT4 experts) could reach on one H200, computed from the model's sizes and from what NVIDIA's assembler makes of
/// the kernels; nothing of it is measured. <c>dotnet run -c Release --project Perf -- --roofline</c> prints what stands in Roofline.md.
/// </summary>
internal static class Roofline
{
    // The model.
    private const double Hidden = 3072, Queries = 48 * 128, Keys = 8 * 128, Experts = 256, PerToken = 8, HeadDim = 128, KeyHeads = 8,
        ExpertHidden = 1536, Layers = 62, Vocabulary = 200_064;

    /// <summary>
    /// Tokens that a sequence looks back on, as in <c>quilt bench</c>: with the weights on one device, 256 sequences have room for no more.
    /// </summary>
    private const int Context = 128;

    // The machine: bytes a second, warp instructions a second, operations a second of its tensor cores in bfloat16.
    private const double Bandwidth = 4.8e12, Issue = 132 * 4 * 1.98e9, MatrixRate = 132 * 1.83e9 * 4096;

    private const string Fp8 = "Fp8Gpu,WideFloat32Scales", Int4 = "Int4Gpu,BFloat16Scales", BFloat16 = "BFloat16Gpu,NoScales";

    private static readonly Dictionary<string, AssembledKernel> Assembled = [];

    /// <summary>The whole page. It takes an assembler (<see cref="PtxAssembler.WhyNot"/>).</summary>
    public static string Page()
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture,
            $"# Roofline\n*Computed*, not measured: from the sizes of MiniMax-M2.5 and from our kernels as ptxas {PtxAssembler.Version} assembles " +
            $"them for sm_90; what was measured is in Gpu.md\n");
        page.Append("(`dotnet run -c Release --project Perf -- --roofline`). One H200: 4.8 TB/s, 132 x 4 x 1.98 G warp instructions a second, 989 " +
            "TFLOP/s in bfloat16.\n");
        page.Append("Time between launches is not counted, nor are the small kernels (a layer is 16 launches when one sequence decodes).\n\n");
        foreach (var batch in new[] { 1, 64, 256 }) Decode(page, batch);
        Prefill(page);
        Facts(page);
        return page.ToString();
    }

    private static void Decode(StringBuilder page, int batch)
    {
        var touched = Experts * (1 - Math.Pow(1 - (PerToken / Experts), batch));
        var each = Math.Max(1, batch * PerToken / touched);     // rows that an expert meets: few even in a batch
        Part[] parts =
        [
            new("attention's queries, FP8", Fp8, Queries, Hidden, Layers, batch),
            new("keys and values, FP8", Fp8, Keys, Hidden, 2 * Layers, batch),
            new("attention's output, FP8", Fp8, Hidden, Queries, Layers, batch),
            new("experts' gate and up, INT4", Int4, ExpertHidden, Hidden, 2 * Layers * touched, each),
            new("experts' down, INT4", Int4, Hidden, ExpertHidden, Layers * touched, each),
            new("head, bfloat16", BFloat16, Vocabulary, Hidden, 1, batch),
        ];
        page.Append(CultureInfo.InvariantCulture, $"## A step of {batch} {(batch == 1 ? "sequence" : "sequences")}\n");
        page.Append("| part | MB a step | instructions a lane for 16 bytes | million warp instructions | share of 4.8 TB/s that they allow |\n| " +
            "--- | --- | --- | --- | --- |\n");
        var seconds = parts.Sum(part => Row(page, part.Name, part.Bytes, part.Instructions));

        // Sixteen keys and values of a head are a turn of the loop, for all queries that read them.
        var blocks = batch * Layers * KeyHeads * Context / 16;
        seconds += Row(page, $"attention over {Context} tokens, bfloat16", blocks * 16 * HeadDim * 2 * 2,
            blocks * Find("TensorAttention.AttendKernel<Dims128,TwoPlanes,AlignedBlocks>").Loop);
        page.Append(CultureInfo.InvariantCulture, $"\nAt most {batch / seconds:0} tok/s.\n\n");
    }

    /// <summary>A row of the table; returns seconds.</summary>
    private static double Row(StringBuilder page, string name, double bytes, double instructions)
    {
        var share = Math.Min(1, bytes / Bandwidth / (instructions / Issue));
        page.Append(CultureInfo.InvariantCulture,
            $"| {name} | {bytes / 1e6:0} | {instructions * 512 / bytes:0} | {instructions / 1e6:0.0} | {share:0%} |\n");
        return bytes / Bandwidth / share;
    }

    private static void Prefill(StringBuilder page)
    {
        page.Append("## A prompt\n| part | GFLOP a token | input | instructions an mma instruction | share of the bfloat16 rate that they allow " +
            "|\n| --- | --- | --- | --- | --- |\n");
        foreach (var (planes, input) in new[] { (1, "bfloat16"), (2, "float32, as two bfloat16") })
        {
            var seconds = 0.0;
            foreach (var (name, kernel, flop) in new[] { ("attention, FP8", Fp8, Layers * 2 * (Queries + Keys) * Hidden),
                ("experts, INT4", Int4, Layers * PerToken * 3 * ExpertHidden * Hidden) })
            {
                var made = Find($"TensorPrefill.PrefillKernel<{kernel},{(planes == 1 ? "OnePlane" : "TwoPlanes")}>");
                var each = (double)made.Loop / made.MatrixInstructions;
                // An mma instruction is 4096 operations, at best one a cycle and multiprocessor.
                var share = Math.Min(1, 4096 * Issue / each / MatrixRate);
                seconds += 2 * flop * planes / MatrixRate / share;
                page.Append(CultureInfo.InvariantCulture, $"| {name} | {2e-9 * flop:0.0} | {input} | {each:0.0} | {share:0%} |\n");
            }
            page.Append(CultureInfo.InvariantCulture, $"| together | | {input} | | at most {1 / seconds:0} tok/s |\n");
        }
        page.Append("\nAttention's own products are not in it.\n\n");
    }

    private static void Facts(StringBuilder page)
    {
        page.Append("## Tensor-core kernels\nThe loop is the innermost one that has such instructions. Kernels on FP8 are those of " +
            "sm_89.\n\n");
        page.Append("| kernel | registers | spilled bytes | instructions | of the loop | its 16-byte loads | its mma instructions |\n| --- | " +
            "--- | --- | --- | --- | --- | --- |\n");
        foreach (var kernel in GpuKernels.All.Where(kernel => kernel.Needs.HasFlag(KernelNeeds.Hot)))
        {
            var made = Find(kernel.Name);
            page.Append(CultureInfo.InvariantCulture,
                $"| {kernel.Name} | {made.Registers} | {made.Spilled} | {made.Instructions} | {made.Loop} | {made.Loads} | " +
                $"{made.MatrixInstructions} |\n");
        }
    }

    private static AssembledKernel Find(string name)
    {
        if (Assembled.TryGetValue(name, out var made)) return made;
        var kernel = GpuKernels.All.Single(kernel => kernel.Name == name);
        var architecture = GpuKernels.Suits(kernel, CudaArchitecture.SM_90) ? CudaArchitecture.SM_90 : CudaArchitecture.SM_89;
        return Assembled[name] = PtxAssembler.Assemble(GpuKernels.Ptx(kernel, architecture), architecture);
    }

    /// <summary>Matrices of one kind that a step multiplies <paramref name="Batch"/> rows with.</summary>
    private sealed record Part(string Name, string Kernel, double Rows, double Columns, double Matrices, double Batch)
    {
        private double Units => Columns / 64;

        /// <summary>Bytes read, scales included.</summary>
        public double Bytes => Matrices * Rows * Columns * (Kernel == Int4 ? 0.5 + (2.0 / 32) : Kernel == Fp8 ? 1 + (4.0 / 128) : 2);

        /// <summary>Warp instructions: those of the loop for every unit of 64 columns of a tile, the others once for each warp of a tile.</summary>
        public double Instructions
        {
            get
            {
                var tiles = Matrices * Rows / 16;
                // The head has tiles enough for the kernel for many rows; the others take the rows by sixteens.
                if (Batch > 64 || (Batch > 16 && Kernel == BFloat16))
                {
                    var prefill = Find($"TensorPrefill.PrefillKernel<{Kernel},TwoPlanes>");
                    return Math.Ceiling(Batch / 64) * tiles / 2 * ((Units * prefill.Loop) + prefill.Instructions - prefill.Loop);
                }
                var made = Find($"TensorDecode.DecodeKernel<{Kernel},{(Batch <= 4 ? "Four" : Batch <= 8 ? "Eight" : "Sixteen")}>");
                var warps = TensorDecode.WarpsFor((int)Units, (int)(Rows / 16), Kernel == Int4 ? (int)Experts : 1);
                return Math.Ceiling(Batch / 16) * tiles * ((Units * made.Loop) + (warps * (double)(made.Instructions - made.Loop)));
            }
        }
    }
}
