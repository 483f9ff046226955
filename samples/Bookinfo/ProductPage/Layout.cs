using System.Text.Encodings.Web;

namespace Bookinfo.ProductPage;

/// <summary>What every page has around its content.</summary>
internal static class Layout
{
    public static string Encode(string? text) => HtmlEncoder.Default.Encode(text ?? "");

    public static string Page(string? user, string content) => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <title>Simple Bookstore App</title>
          <link rel="icon" href="/static/book.svg" type="image/svg+xml">
          <link rel="stylesheet" href="/static/bookinfo.css">
        </head>
        <body>
          <a class="skip" href="#content">Skip to the book</a>
          <header class="bar">
            <a class="brand" href="/"><img src="/static/book.svg" alt="" width="28" height="28">BookInfo Sample</a>
            {(user is null ? SignIn : SignedIn(user))}
          </header>
          <main id="content">
        {content}
          </main>
        </body>
        </html>

        """;

    private const string SignIn = """
        <details class="account">
              <summary>Sign in</summary>
              <form method="post" action="/login">
                <label for="username">User name</label>
                <input id="username" name="username" autocomplete="username" placeholder="jason" required>
                <label for="passwd">Password</label>
                <input id="passwd" name="passwd" type="password" autocomplete="current-password" placeholder="any">
                <button type="submit">Sign in</button>
                <p class="hint">No password is checked. Rules of the mesh can match the header <code>end-user</code>.</p>
              </form>
            </details>
        """;

    private static string SignedIn(string user) => $"""
        <p class="account"><span class="avatar" aria-hidden="true">{Encode(user[..1].ToUpperInvariant())}</span> {Encode(user)} (<a href="/logout">sign out</a>)</p>
        """;
}
