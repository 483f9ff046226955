using System.Buffers;
using System.Buffers.Text;

namespace Mesh.Xds.Jwt;

/// <summary>
/// Base64url as RFC 7515 has it: no padding, no white space, and one spelling for each value. A decoder that takes several spellings lets a caller
/// write the same token in as many ways as he likes, past whatever remembers tokens by their text.
/// </summary>
internal static class StrictBase64Url
{
    private static readonly SearchValues<char> Alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        if (text.ContainsAnyExcept(Alphabet) || text.Length % 4 == 1)
        {
            return false;
        }

        // The framework insists on zeros for the bits of the last character that belong to no byte.
        var decoded = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (Base64Url.DecodeFromChars(text, decoded, out _, out var written) != OperationStatus.Done)
        {
            return false;
        }

        bytes = decoded[..written];
        return true;
    }
}
