namespace Bookinfo.ProductPage;

/// <summary>What the shop sells: one book.</summary>
/// <param name="DescriptionHtml">Trusted markup, written here.</param>
internal sealed record Product(int Id, string Title, string DescriptionHtml)
{
    public static Product ComedyOfErrors { get; } = new(
        0,
        "The Comedy of Errors",
        "<a href=\"https://en.wikipedia.org/wiki/The_Comedy_of_Errors\">Wikipedia Summary</a>: The Comedy of Errors is one of "
        + "<b>William Shakespeare's</b> early plays. It is his shortest and one of his most farcical comedies, with a major part of the "
        + "humour coming from slapstick and mistaken identity, in addition to puns and word play.");

    public static IReadOnlyList<Product> All { get; } = [ComedyOfErrors];
}
