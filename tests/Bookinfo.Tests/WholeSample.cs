namespace Bookinfo.Tests;

/// <summary>Tests of the whole sample, one at a time: each is eight processes.</summary>
[CollectionDefinition(Name)]
public sealed class WholeSample : ICollectionFixture<SharedBookinfo>
{
    public const string Name = "Whole sample";
}
