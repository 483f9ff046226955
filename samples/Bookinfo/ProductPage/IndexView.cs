namespace Bookinfo.ProductPage;

/// <summary>The first page: what this is, and who calls whom.</summary>
internal static class IndexView
{
    public static string Render(ServiceTree tree, string? user) => Layout.Page(user, $"""
            <section class="card hero">
              <h1>Hello! This is a simple bookstore application</h1>
              <p>It consists of three services behind this page. Rules of the mesh decide which version of each answers.</p>
              <p class="actions">
                <a class="button" href="/productpage?u=normal">Normal user</a>
                <a class="button quiet" href="/productpage?u=test">Test user</a>
              </p>
            </section>
            <section class="card" aria-labelledby="services">
              <h2 id="services">Services</h2>
              {Table(tree)}
            </section>
        """);

    private static string Table(ServiceTree node) => $"""
        <table>
          <tr><th scope="row">name</th><td>{Layout.Encode(node.Name)}</td></tr>
          <tr><th scope="row">endpoint</th><td>{Layout.Encode(node.Endpoint)}</td></tr>
          <tr><th scope="row">children</th><td>{(node.Children.Count == 0 ? "none" : string.Concat(node.Children.Select(Table)))}</td></tr>
        </table>
        """;
}
