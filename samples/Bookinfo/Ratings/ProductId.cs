using System.Globalization;

namespace Bookinfo.Ratings;

/// <summary>The product id at the end of a path, read as generously as JavaScript's <c>parseInt</c>: <c>12abc</c> is 12.</summary>
internal static class ProductId
{
    public static long? Parse(PathString path)
    {
        var last = path.Value!.Split('/')[^1].AsSpan().TrimStart();
        var length = last is ['+' or '-', ..] ? 1 : 0;
        while (length < last.Length && char.IsAsciiDigit(last[length]))
        {
            length++;
        }

        return long.TryParse(last[..length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id) ? id : null;
    }
}
