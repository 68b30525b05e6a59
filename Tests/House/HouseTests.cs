namespace Quilt.Tests.House;

/// <summary>The habits of the house, made to hold.</summary>
public sealed class HouseTests
{
    [Test]
    public void The_repository_is_found() => Assert.That(Shared.Root is null || Directory.Exists(Shared.Root));
}
