using Quilt.Formats;
using Quilt.Formats.Tensors;

namespace Quilt.Tests.Formats.Tensors;

/// <summary>A folder appears whole or not at all.</summary>
public sealed class AtomicFolderTests
{
    private string root = "";

    [SetUp]
    public void Make() => root = Directory.CreateTempSubdirectory("quilt-folder-").FullName;

    [TearDown]
    public void Delete() => Directory.Delete(root, recursive: true);

    [Test]
    public void Takes_its_name_when_it_is_whole([Values] bool isThere)
    {
        var place = Path.Combine(root, "deep", "out");
        if (isThere) Directory.CreateDirectory(place);
        AtomicFolder.Write(place + Path.DirectorySeparatorChar, 1, folder =>
        {
            Assert.That(Path.GetDirectoryName(folder), Is.EqualTo(Path.Combine(root, "deep")));
            Assert.That(Directory.Exists(place), Is.EqualTo(isThere));
            File.WriteAllText(Path.Combine(folder, "a"), "b");
        });
        Assert.That(Directory.GetFileSystemEntries(Path.Combine(root, "deep")), Is.EqualTo(new[] { place }));
        Assert.That(File.ReadAllText(Path.Combine(place, "a")), Is.EqualTo("b"));
    }

    [Test]
    public void Leaves_nothing_of_a_writer_that_fails()
    {
        Assert.That(() => AtomicFolder.Write(Path.Combine(root, "out"), 1, folder =>
        {
            File.WriteAllText(Path.Combine(folder, "a"), "b");
            throw new OperationCanceledException();
        }), Throws.TypeOf<OperationCanceledException>());
        Assert.That(Directory.GetFileSystemEntries(root), Is.Empty);
    }

    [Test]
    public void Refuses_a_place_that_is_taken()
    {
        File.WriteAllText(Path.Combine(root, "file"), "");
        Assert.That(() => AtomicFolder.Write(Path.Combine(root, "file"), 1, _ => Assert.Fail("written")),
            Throws.TypeOf<BadInputException>().With.Message.Contains("found a file"));
        Assert.That(() => AtomicFolder.Write(root, 1, _ => Assert.Fail("written")),
            Throws.TypeOf<BadInputException>().With.Message.Contains("found files in it"));
    }

    [Test]
    public void Refuses_what_the_disk_has_no_room_for_with_both_numbers() =>
        Assert.That(() => AtomicFolder.Write(Path.Combine(root, "out"), 1L << 60, _ => Assert.Fail("written")),
            Throws.TypeOf<BadInputException>().With.Message.Matches(@"expected 1152921504\.6 GB of free disk space, found \d+\.\d GB"));
}
