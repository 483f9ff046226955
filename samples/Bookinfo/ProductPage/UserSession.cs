using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Bookinfo.ProductPage;

/// <summary>Who is signed in: a cookie that only this process can write. No password is checked, as it is a demo.</summary>
internal sealed class UserSession
{
    public const string CookieName = "session";
    private const int MaxNameLength = 256;

    // Keys live as long as the process: nothing is written to the user's profile, and a restart signs everybody out.
    private readonly IDataProtector _protector = new EphemeralDataProtectionProvider().CreateProtector("Bookinfo.Session");

    public string? User(HttpRequest request)
    {
        if (request.Cookies[CookieName] is not { Length: > 0 } cookie)
        {
            return null;
        }

        try
        {
            return _protector.Unprotect(cookie);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public void SignIn(HttpResponse response, string user)
    {
        // The name becomes a header of every call: no control characters, no end of line, ASCII.
        var name = new string([.. user.Trim().Where(character => character is >= ' ' and <= '~').Take(MaxNameLength)]);
        if (name.Length == 0)
        {
            SignOut(response);
            return;
        }

        response.Cookies.Append(CookieName, _protector.Protect(name), Options());
    }

    public void SignOut(HttpResponse response) => response.Cookies.Delete(CookieName, Options());

    private static CookieOptions Options() => new() { HttpOnly = true, SameSite = SameSiteMode.Lax, Path = "/", IsEssential = true };
}
