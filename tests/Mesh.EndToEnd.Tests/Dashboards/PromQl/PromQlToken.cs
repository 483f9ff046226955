namespace Mesh.EndToEnd.Tests.Dashboards.PromQl;

internal enum PromQlTokenKind
{
    Name,
    Number,
    Text,
    Sign,
    End,
}

/// <param name="Kind">What it is.</param>
/// <param name="Text">As written; of a text what is between the quotes.</param>
/// <param name="End">Where it ends.</param>
internal readonly record struct PromQlToken(PromQlTokenKind Kind, string Text, int End)
{
    public bool Is(string sign) => Kind == PromQlTokenKind.Sign && Text == sign;

    public bool IsWord(string word) => Kind == PromQlTokenKind.Name && Text.Equals(word, StringComparison.OrdinalIgnoreCase);
}
