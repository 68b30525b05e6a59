using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Tests.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Formats.Checkpoints;

/// <summary>Parts of modules hold what the whole has there, for every module of every checkpoint at hand, wherever they are cut.</summary>
[Category("Conformance")]
public sealed class ModulePartTests
{
    public static IEnumerable<TestCaseData> Folders() =>
        Shared.Folders("golden/checkpoints").Concat(Shared.Folders("golden/architectures")).Where(GoldenFolder.Runs)
            .Select(folder => new TestCaseData(folder).SetArgDisplayNames(Path.GetFileName(folder) ?? "none"))
            .Concat(FormatGoldenTests.Folders());

    [TestCaseSource(nameof(Folders))]
    public void A_part_dequantizes_to_its_part_of_the_whole(string? folder)
    {
        using var checkpoint = Checkpoint.Open(Shared.Require(folder));
        using var device = new CpuDevice(threads: 2);
        foreach (var shape in DequantizedFolder.Modules(checkpoint))
        {
            var whole = checkpoint.Module(shape.Name, shape.Rows, shape.Columns);
            var values = whole.Dequantize();
            foreach (var (firstRow, rows, firstColumn, columns) in Cuts(shape.Rows, shape.Columns))
            {
                var what = $"{shape.Name} rows {firstRow} + {rows}, columns {firstColumn} + {columns}";
                var part = Part();
                if (part is null) continue;
                using var weight = WeightLoader.Load(device, checkpoint, [part], shape.Name);
                Assert.That((weight.Rows, weight.Columns), Is.EqualTo((rows, columns)), what);
                var row = new float[columns];
                for (var r = 0; r < rows; r++)
                {
                    weight.Dequantize(0, r, row);
                    var expected = values.AsSpan(((firstRow + r) * shape.Columns) + firstColumn, columns);
                    Assert.That(row.AsSpan().SequenceEqual(expected), Is.True, $"{what}, row {r}");
                }

                Quilt.Formats.Checkpoints.Storage.StoredModule? Part()
                {
                    try
                    {
                        return whole.Part(firstRow, rows, firstColumn, columns);
                    }
                    catch (BadInputException refused)
                    {
                        // Groups in an order of their own, more than a part has columns for.
                        Assert.That(refused.Message, Does.Contain("whose columns are in an order of their own").And.Contain("reordered"), what);
                        return null;
                    }
                }
            }
        }
    }

    private static IEnumerable<(int FirstRow, int Rows, int FirstColumn, int Columns)> Cuts(int rows, int columns)
    {
        foreach (var parts in new[] { 2, 3 })
        {
            var (last, end) = (rows * (parts - 1) / parts, columns * (parts - 1) / parts);
            yield return (0, rows / parts, 0, columns);
            yield return (last, rows - last, 0, columns);
            yield return (0, rows, 0, columns / parts);
            yield return (0, rows, end, columns - end);
            yield return (last, rows - last, end, columns - end);
        }
    }
}
