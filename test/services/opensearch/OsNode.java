import static org.codelibs.opensearch.runner.OpenSearchRunner.newConfigs;

import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One OpenSearch node on 127.0.0.1 until it is told to end: `java … OsNode HTTP_PORT TRANSPORT_PORT FOLDER`. */
public class OsNode {
  public static void main(String[] arguments) throws Exception {
    String folder = arguments[2];
    OpenSearchRunner runner = new OpenSearchRunner();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        runner.close();
      } catch (Exception e) {
        e.printStackTrace();
      }
    }));
    runner.onBuild((number, settings) -> {
      settings.put("network.host", "127.0.0.1");
      settings.put("http.port", arguments[0]);
      settings.put("transport.port", arguments[1]);
      // Without them the runner's defaults ask for roles that need plugins.
      settings.putList("node.roles", "cluster_manager", "data", "ingest");
      settings.putList("path.repo", folder + "/snapshots");
      settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
    }).build(newConfigs().basePath(folder).clusterName("tests").numOfNode(1).useLogger());
    runner.ensureYellow();
    Thread.currentThread().join();
  }
}
