using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Repair;
using Quilt.Quantizer.Stitching;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Repair;

/// <summary>What is written anew and what is linked, what needs no repair, and what is refused.</summary>
public sealed class RouterRepairerTests
{
    private const string Gate = "model.layers.1.block_sparse_moe.gate.weight";

    [TestCase(false)]
    [TestCase(true)]
    public void Only_files_with_a_mended_router_are_written_anew(bool copy)
    {
        using var work = Pair();
        FolderEdit.Of(work.Below("published"), edit => Repair(work, edit));      // layer 0 is right already
        var untouched = File.ReadAllBytes(File0(work.Below("published")));
        var result = RouterRepairer.Run(work.Below("official"), work.Below("published"), work.Below("out"), copy);
        Assert.That(result.Layers.Select(layer => layer.Router.State), Is.EqualTo(new[] { RouterState.Compensated, RouterState.Uncompensated }));
        Assert.That((result.Repaired, result.FilesWritten, result.FilesLinked), Is.EqualTo((1, 1, copy ? 0 : 1)));
        Assert.That(File.ReadAllBytes(File0(work.Below("out"))), Is.EqualTo(untouched));
        Assert.That(new FileInfo(File0(work.Below("out"))).LinkTarget, Is.Null);

        // One file of two names, or two files: what is done to the one shows in the other, or does not.
        using (var file = new FileStream(File0(work.Below("out")), FileMode.Open)) file.SetLength(1);
        Assert.That(new FileInfo(File0(work.Below("published"))).Length, Is.EqualTo(copy ? untouched.Length : 1));
    }

    [Test]
    public void Settings_are_copied_so_that_they_can_be_changed()
    {
        using var work = Pair();
        RouterRepairer.Run(work.Below("official"), work.Below("published"), work.Below("out"), copy: false);
        var config = File.ReadAllText(Path.Combine(work.Below("published"), "config.json"));
        Assert.That(File.ReadAllText(Path.Combine(work.Below("out"), "config.json")), Is.EqualTo(config));
        File.AppendAllText(Path.Combine(work.Below("out"), "config.json"), " ");
        Assert.That(File.ReadAllText(Path.Combine(work.Below("published"), "config.json")), Is.EqualTo(config));
    }

    [Test]
    public void A_link_is_followed_to_the_file()
    {
        using var work = Pair();
        var file = File0(work.Below("published"));
        File.Move(file, work.Below("blob"));
        File.CreateSymbolicLink(file, Path.Combine("..", "blob"));
        FolderEdit.Of(work.Below("published"), edit => Repair(work, edit));
        File.Move(file, work.Below("blob"), overwrite: true);
        File.CreateSymbolicLink(file, Path.Combine("..", "blob"));
        Directory.CreateDirectory(work.Below("deep"));
        RouterRepairer.Run(work.Below("official"), work.Below("published"), work.Below("deep/er/out"), copy: false);
        using var checkpoint = Checkpoint.Open(work.Below("deep/er/out"));
        Assert.That(new FileInfo(File0(work.Below("deep/er/out"))).LinkTarget, Is.Null);
    }

    [Test]
    public void A_router_in_bfloat16_becomes_the_official_one_in_float32_times_s()
    {
        using var work = Pair();
        RouterRepairer.Run(work.Below("official"), work.Below("published"), work.Below("wanted"), copy: false);
        FolderEdit.Of(work.Below("published"), edit => edit.ToBFloat16(Gate));
        RouterRepairer.Run(work.Below("official"), work.Below("published"), work.Below("out"), copy: false);
        using var wanted = Checkpoint.Open(work.Below("wanted"));
        using var found = Checkpoint.Open(work.Below("out"));
        Assert.That(found.Warnings, Is.Empty);
        Assert.That(found.Find(Gate)!.Type, Is.EqualTo(DType.F32));
        Assert.That(Bytes(found, Gate), Is.EqualTo(Bytes(wanted, Gate)));
    }

    [Test]
    public void A_second_repair_changes_nothing()
    {
        using var work = Pair();
        RouterRepairer.Run(work.Below("official"), work.Below("published"), work.Below("once"), copy: false);
        var again = RouterRepairer.Run(work.Below("official"), work.Below("once"), work.Below("twice"), copy: false);
        Assert.That((again.Repaired, again.FilesWritten), Is.EqualTo((0, 0)));
        Same(work.Below("once"), work.Below("twice"));
    }

    [Test]
    public void Where_nothing_was_smoothed_the_folder_is_written_as_it_is()
    {
        using var work = Pair(smooth: false);
        var result = RouterRepairer.Run(work.Below("official"), work.Below("published"), work.Below("out"), copy: false);
        Assert.That(result.Layers.Select(layer => layer.Router.State), Is.All.EqualTo(RouterState.Untouched));
        Assert.That((result.Repaired, result.FilesWritten), Is.EqualTo((0, 0)));
        Same(work.Below("published"), work.Below("out"));
    }

    [Test]
    public void Refuses_a_router_that_is_another_model_s_and_leaves_nothing()
    {
        using var work = Pair();
        FolderEdit.Of(work.Below("published"), edit => edit.Values<float>(Gate).Reverse());
        var names = work.Names;
        Assert.That(() => RouterRepairer.Run(work.Below("official"), work.Below("published"), work.Below("out"), copy: false),
            Throws.TypeOf<BadInputException>().With.Message.Contains($"{Gate}: expected the official router, or that times"));
        Assert.That(work.Names, Is.EqualTo(names));
    }

    [Test]
    public void Cancelled_it_leaves_nothing()
    {
        using var work = Pair();
        var names = work.Names;
        Assert.That(() => RouterRepairer.Run(work.Below("official"), work.Below("published"), work.Below("out"), false, null, new(canceled: true)),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(work.Names, Is.EqualTo(names));
    }

    private static TemporaryFolder Pair(bool smooth = true)
    {
        var work = new TemporaryFolder();
        SmoothedPair.Write(work.Path, smooth: smooth);
        Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("published"), repairRouters: false);
        return work;
    }

    private static void Repair(TemporaryFolder work, FolderEdit edit)
    {
        Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below($"repaired-{Guid.NewGuid():N}"), repairRouters: true);
        edit.Take(Gate.Replace("layers.1", "layers.0", StringComparison.Ordinal), Directory.GetDirectories(work.Path, "repaired-*").Single());
    }

    private static string File0(string folder) => Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).First();

    private static byte[] Bytes(Checkpoint checkpoint, string name)
    {
        var tensor = checkpoint.Find(name)!;
        var bytes = new byte[tensor.Length];
        checkpoint.Read(tensor, bytes);
        return bytes;
    }

    private static void Same(string one, string other)
    {
        Assert.That(Directory.GetFiles(other).Select(Path.GetFileName), Is.EquivalentTo(Directory.GetFiles(one).Select(Path.GetFileName)));
        foreach (var file in Directory.GetFiles(one))
            Assert.That(File.ReadAllBytes(Path.Combine(other, Path.GetFileName(file))), Is.EqualTo(File.ReadAllBytes(file)), file);
    }
}
